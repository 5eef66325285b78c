"""SYNTHETIC: write the tables of the demo study again.

python data/postal_demo/generate.py [--seed N] [--out DIR] [--clean] [--respondents N]
"""

import argparse
from pathlib import Path

import pandas as pd
from postal_model import parameters as p
from postal_model.experts import simulate_judgements, simulate_scores
from postal_model.survey import draw_survey, simulate_survey, stream
from postal_model.texts import ITEM_TEXTS

__all__ = ["simulate_all", "simulate_survey", "write_tables"]


def simulate_all(seed: int = p.SEED, n: int = p.RESPONDENTS, *, clean: bool = False) -> dict[str, pd.DataFrame]:
    """Every table by its name, drawn from one model."""
    survey = draw_survey(seed, n, clean=clean)
    construct_of = {item: construct for construct, items in p.ITEMS.items() for item in items}
    codebook = [(item, construct_of.get(item, ""), *words) for item, words in ITEM_TEXTS.items()]
    return {
        "survey": survey.frame,
        "codebook": pd.DataFrame(codebook, columns=["item", "construct", "en", "zh"]),
        "judgements": simulate_judgements(stream(seed, "judgements")),
        "scores": simulate_scores(stream(seed, "scores")),
    }


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
