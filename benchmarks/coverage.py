"""How often do the 95 % intervals hold the population values? Many draws of the demo study, clean and dirty apart.

    PYTHONPATH=. python benchmarks/coverage.py [--seeds 200] [--bootstrap 300] [--kinds clean dirty screened] [--out FILE]

Each seed gives a new sample of 48 branches and 3,200 respondents (data/postal_demo), which goes through the study file, the
screening and the public verbs as any study does. The population values are those of data/postal_demo/truth.json. `clean` is the
same sample without dirt; `dirty` keeps careless answers and duplicates; `screened` drops what the screening flags. Prints a table
in Markdown.
"""

import argparse
import json
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

import cxresearch as cx
from cxresearch.errors import CxWarning
from cxresearch.study.survey import Survey

ROOT = Path(__file__).resolve().parents[1]
DEMO = ROOT / "data" / "postal_demo"
KEYS = ["quantity", "scale", "term", "group"]
SURVEY_PARTS = (
    "study",
    "title",
    "language",
    "seed",
    "survey",
    "constructs",
    "outcome",
    "drivers",
    "recommend",
    "groups",
    "cases",
)
FAMILIES = {"mean_difference"}  # intervals adjusted so that all of a sample hold together
CORRELATIONS = {"pearson", "spearman"}
KINDS = {"clean": {}, "dirty": {}, "screened": {"duplicates": "drop", "careless": "drop"}}  # changes to the study file


def population_values() -> pd.DataFrame:
    truth = json.loads((DEMO / "truth.json").read_text(encoding="utf-8"))
    return pd.DataFrame(truth["population"]).rename(columns={"estimate": "truth", "method": "wanted"})


def survey_of(seed: int, folder: Path, kind: str) -> Survey:
    """Draw a survey, write it, and read it as a study."""
    from generate import simulate_survey

    simulate_survey(seed, clean=kind == "clean").to_csv(folder / "survey.csv", index=False)
    whole = yaml.safe_load((ROOT / "params" / "postal_demo.yaml").read_text(encoding="utf-8"))
    study = {part: whole[part] for part in SURVEY_PARTS}
    study["survey"] = {key: value for key, value in study["survey"].items() if key not in ("invited", "population")}
    study["survey"] |= {"data": "survey.csv", **KINDS[kind]}
    study["cases"] = {"by": study["cases"]["by"]}
    path = folder / "study.yaml"
    path.write_text(yaml.safe_dump(study, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return cx.open_study(path).survey()


def estimates(survey: Survey, *, n_bootstrap: int, seed: int) -> pd.DataFrame:
    """Every number with an interval that the methods give of a survey."""
    options = {"design": survey.design, "n_bootstrap": n_bootstrap, "seed": seed}
    results = [
        cx.check_sample(survey.groups, design=survey.design),
        cx.check_items(survey.answers, survey.scales, design=survey.design),
        cx.check_reliability(survey.answers, survey.scales, **options),
        cx.regress_drivers(
            survey.scores, survey.outcome, drivers=survey.drivers, ranges=survey.score_ranges, **options
        ),
        cx.compare_cases(survey.scores_by(survey.by), survey.outcome, by=survey.by, **options),
    ]
    rows = pd.concat([result.records() for result in results], ignore_index=True)
    return rows[rows["conf_low"].notna()]


def against_truth(rows: pd.DataFrame, truth: pd.DataFrame) -> pd.DataFrame:
    """Rows with their population value: equal keys, and a method that holds every word of the wanted one."""
    both = rows.merge(truth, on=KEYS)
    pairs = zip(both["wanted"], both["method"], strict=True)
    both = both[[set(filter(None, wanted.split("; "))) <= set(method.split("; ")) for wanted, method in pairs]]
    kind = both["method"].map(lambda method: " ".join(set(method.split("; ")) & CORRELATIONS))
    plain = both["method"].str.contains("unweighted").map({True: "unweighted", False: ""})
    name = (both["quantity"] + " " + kind + " " + plain).str.split().str.join(" ")
    width = both["conf_high"] - both["conf_low"]
    return both.assign(
        name=name,
        holds=both["truth"].between(both["conf_low"] - 1e-12, both["conf_high"] + 1e-12),
        off=np.where(width > 0, (both["estimate"] - both["truth"]) / width.where(width > 0, 1), 0.0),
    )


def draw_all(seeds: range, kinds: list[str], n_bootstrap: int) -> pd.DataFrame:
    """Rows of all samples, with seed and kind of data."""
    truth, tables, started = population_values(), [], time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:
            for kind in kinds:
                survey = survey_of(seed, Path(folder), kind)
                rows = against_truth(estimates(survey, n_bootstrap=n_bootstrap, seed=seed), truth)
                tables.append(rows[["name", *KEYS, "holds", "off"]].assign(seed=seed, data=kind))
            sys.stderr.write(f"\rseed {seed}, {time.perf_counter() - started:.0f} s")
    sys.stderr.write("\n")
    return pd.concat(tables, ignore_index=True)


def with_families(rows: pd.DataFrame) -> pd.DataFrame:
    """Adds whether the intervals that are adjusted for their number hold all at once in a sample."""
    family = rows[rows["name"].isin(FAMILIES)]
    at_once = family.groupby(["data", "name", "seed"], sort=False, as_index=False).agg({"holds": "all", "off": "mean"})
    at_once["name"] += ", all at once"
    return pd.concat([rows, at_once.assign(**dict.fromkeys(KEYS, ""))], ignore_index=True)


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Coverage of each quantity, on average over its numbers and of the worst; mean absolute bias in interval widths."""
    numbers = rows.groupby(["data", "name", *KEYS], sort=False)[["holds", "off"]].mean().reset_index()
    numbers["off"] = numbers["off"].abs()
    by_name = numbers.groupby(["data", "name"], sort=False)
    table = by_name.agg(
        numbers=("holds", "size"), mean=("holds", "mean"), lowest=("holds", "min"), bias=("off", "mean")
    )
    parts = [table.xs(kind)[["mean", "lowest", "bias"]].add_prefix(f"{kind} ") for kind in rows["data"].unique()]
    return pd.concat([table["numbers"].groupby("name", sort=False).first(), *parts], axis=1)


def as_markdown(table: pd.DataFrame) -> str:
    """Coverage in percent to one decimal, bias to two."""
    table = table.assign(**{name: 100 * table[name] for name in table if name.endswith(("mean", "lowest"))})
    digits = {name: 2 if name.endswith("bias") else 0 if name == "numbers" else 1 for name in table}
    head = ["quantity", *table.columns]
    lines = ["| " + " | ".join(head) + " |", "|---|" + "---:|" * table.shape[1]]
    for name, row in table.iterrows():
        lines.append(f"| {name} | " + " | ".join(f"{row[column]:.{digits[column]}f}" for column in table) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description="Coverage of the 95 % intervals over draws of the demo study.")
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--bootstrap", type=int, default=300)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=["clean", "dirty"])
    parser.add_argument("--out", type=Path, help="write the rows behind the table to this csv")
    options = parser.parse_args()
    sys.path.insert(0, str(DEMO))
    warnings.simplefilter("ignore", CxWarning)
    rows = draw_all(range(1, options.seeds + 1), options.kinds, options.bootstrap)
    if options.out:
        rows.to_csv(options.out, index=False)
    print(f"{options.seeds} samples; {options.bootstrap} bootstrap replicates each\n")
    print(as_markdown(summarise(with_families(rows))))


if __name__ == "__main__":
    main()
