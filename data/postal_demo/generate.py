"""SYNTHETIC: write the tables of the demo study again.

python data/postal_demo/generate.py [--seed N] [--out DIR] [--clean] [--respondents N]
"""

import argparse
from pathlib import Path

import pandas as pd
from postal_model import parameters as p
from postal_model import small_tables
from postal_model.customers import draw_panel, simulate_customers
from postal_model.experts import simulate_judgements, simulate_scores
from postal_model.operations import draw_branch_months, simulate_inspections, simulate_operations
from postal_model.survey import Draw, draw_survey, simulate_survey, stream
from postal_model.texts import ITEM_TEXTS
from postal_model.tickets import count_complaints, draw_cases, simulate_tickets

__all__ = ["simulate_all", "simulate_survey", "write_tables"]


def simulate_all(seed: int = p.SEED, n: int = p.RESPONDENTS, *, clean: bool = False) -> dict[str, pd.DataFrame]:
    """Every table by its name, drawn from one model."""
    survey = draw_survey(seed, n, clean=clean)
    return {
        "survey": survey.frame,
        "codebook": make_codebook(),
        "judgements": simulate_judgements(stream(seed, "judgements")),
        "scores": simulate_scores(stream(seed, "scores")),
        **simulate_service(seed, survey),
        "invited": small_tables.simulate_invited(stream(seed, "invited"), survey.people),
        "population": small_tables.population_shares(),
        "indicators": small_tables.indicator_system(),
        "actions": small_tables.improvement_plan(),
        "published": small_tables.published_cases(),
        "mechanisms": small_tables.mechanism_comparison(),
    }


def simulate_service(seed: int, survey: Draw) -> dict[str, pd.DataFrame]:
    """Tickets, service records, inspections and customers of the branches that the survey was taken at."""
    months = draw_branch_months(stream(seed, "months"), survey.branches)
    panel = draw_panel(stream(seed, "panel"), survey)
    cases = draw_cases(stream(seed, "cases"), months, panel)
    inspections = simulate_inspections(stream(seed, "inspections"), survey.branches, months)
    complaints = count_complaints(cases, months)
    return {
        "tickets": simulate_tickets(stream(seed, "tickets"), survey.branches, months, cases),
        "operations": simulate_operations(stream(seed, "operations"), survey.branches, months, complaints, inspections),
        "inspections": inspections,
        "customers": simulate_customers(stream(seed, "customers"), survey.branches, panel),
    }


def make_codebook() -> pd.DataFrame:
    """Items and their texts (item, construct, en, zh)."""
    construct_of = {item: construct for construct, items in p.ITEMS.items() for item in items}
    rows = [(item, construct_of.get(item, ""), *words) for item, words in ITEM_TEXTS.items()]
    return pd.DataFrame(rows, columns=["item", "construct", "en", "zh"])


def write_tables(tables: dict[str, pd.DataFrame], folder: Path) -> None:
    """One csv a table."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n", encoding="utf-8")


def main() -> None:
    """Read the options and write the tables."""
    parser = argparse.ArgumentParser(description="Write the tables of the synthetic demo study.")
    parser.add_argument("--seed", type=int, default=p.SEED)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--clean", action="store_true", help="a survey without dirt")
    parser.add_argument("--respondents", type=int, default=p.RESPONDENTS)
    options = parser.parse_args()
    write_tables(simulate_all(options.seed, options.respondents, clean=options.clean), options.out)


if __name__ == "__main__":
    main()
