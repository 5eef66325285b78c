"""SYNTHETIC: write truth.json: the parameters of the model and the population value of what the notebooks print.

    PYTHONPATH=. python data/postal_demo/population.py [--respondents 2000000] [--out FILE]

from the project's root. Two million clean respondents take about half a minute and little memory.
"""

import argparse
import json
from pathlib import Path

from postal_model import parameters as p
from postal_model.census import take_census
from postal_model.experts import true_weights
from postal_model.survey import stream
from postal_model.truth import population_values

RESPONDENTS = 2_000_000
N_FACTORS = 8  # seven drivers, and one of satisfaction with loyalty


def model_parameters() -> dict[str, object]:
    """The model in numbers, with names in place of positions."""
    drivers = list(p.DRIVERS)

    def by_driver(values) -> dict[str, float]:
        return {driver: float(value) for driver, value in zip(drivers, values, strict=True)}

    def by_group(groups, table) -> dict[str, dict[str, float]]:
        return {group: by_driver(values) for group, values in zip(groups, table, strict=True)}

    return {
        "loadings": p.LOADINGS,
        "easiness": p.EASINESS,
        "thresholds": p.THRESHOLDS.tolist(),
        "recommend_thresholds": p.RECOMMEND_THRESHOLDS.tolist(),
        "slopes": by_driver(p.SLOPES),
        "satisfaction_residual_sd": p.satisfaction_sd(),
        "loyalty_slopes": p.LOYALTY_SLOPES,
        "recommend_slopes": p.RECOMMEND_SLOPES,
        "driver_correlations": by_group(drivers, p.driver_correlation()),
        "company_effects": by_group(p.COMPANIES, p.COMPANY_EFFECTS),
        "region_effects": by_group(p.REGIONS, p.REGION_EFFECTS),
        "age_effects": by_group(p.AGES, p.AGE_EFFECTS),
        "quarter_effects": by_group(p.QUARTERS, p.QUARTER_EFFECTS),
        "branch_sd": {"common": p.BRANCH_SD_COMMON, "specific": p.BRANCH_SD_SPECIFIC},
        "improvement": {
            "company": p.PROGRAMME_COMPANY,
            "ramp": dict(zip(p.QUARTERS, p.PROGRAMME_RAMP.tolist(), strict=True)),
            "effects": by_driver(p.PROGRAMME_EFFECTS),
            "on_latent_satisfaction": float(p.PROGRAMME_EFFECTS @ p.SLOPES),
        },
        "expert_weights": true_weights(),
    }


def main() -> None:
    """Read the options and write the file."""
    parser = argparse.ArgumentParser(description="Write truth.json of the synthetic demo study.")
    parser.add_argument("--respondents", type=int, default=RESPONDENTS)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("truth.json"))
    options = parser.parse_args()
    census = take_census(stream(p.SEED, "population"), options.respondents)
    truth = {
        "note": "SYNTHETIC. Population values are of clean respondents drawn from the target population (README.md).",
        "seed": p.SEED,
        "respondents": options.respondents,
        "parameters": model_parameters(),
        "population": population_values(census, n_factors=N_FACTORS),
    }
    rows = ",\n  ".join(json.dumps(row, ensure_ascii=False) for row in truth.pop("population"))
    head = json.dumps(truth, ensure_ascii=False, indent=1)[:-2]
    options.out.write_text(f'{head},\n "population": [\n  {rows}\n ]\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
