"""SYNTHETIC: the small tables of the study: shares, indicators, plans, published figures."""

import numpy as np
import pandas as pd

from postal_model import parameters as p
from postal_model.people import People

PROVENANCE = "synthetic, made up for this demonstration"


def simulate_invited(rng: np.random.Generator, people: People) -> pd.DataFrame:
    """How many were asked in each age group and region (group, value, invited)."""
    ages = np.bincount(people.age, minlength=len(p.AGES))
    invited = np.rint(ages / p.RESPONSE_RATES * rng.normal(1, 0.02, len(ages))).astype(int)
    regions = np.bincount(people.region, minlength=len(p.REGIONS)) / len(people.region)
    by_region = np.rint(invited.sum() * regions * rng.normal(1, 0.02, len(regions))).astype(int)
    by_region[-1] = invited.sum() - by_region[:-1].sum()
    return _long({"age_group": (p.AGES, invited), "region": (p.REGIONS, by_region)}, "invited")


def population_shares() -> pd.DataFrame:
    """Known shares of customers (group, value, share)."""
    shares = {"company": (p.COMPANIES, p.COMPANY_SHARES), "region": (p.REGIONS, p.REGION_SHARES)}
    return _long(shares | {"age_group": (p.AGES, p.AGE_SHARES)}, "share")


def _long(groups: dict[str, tuple], number: str) -> pd.DataFrame:
    parts = [pd.DataFrame({"group": group, "value": values, number: each}) for group, (values, each) in groups.items()]
    return pd.concat(parts, ignore_index=True)


def indicator_system() -> pd.DataFrame:
    """The indicator system: where each number comes from, what is good, what it weighs."""
    columns = (
        "dimension", "indicator", "label", "definition", "table", "unit",
        "better", "floor", "full", "weight", "target", "stage",
    )  # fmt: skip
    rows = [
        ("quality", "quality", "Staff as rated", "Mean of qual1 to qual3", "survey", "1-5",
         "higher", 1, 5, 0.10, 4.0, "during"),
        ("quality", "attitude_complaints", "Complaints about staff", "Tickets of type attitude per million parcels",
         "tickets", "per million", "lower", 250, 0, 0.06, 80, "during"),
        ("efficiency", "waiting_time", "Waiting time", "Minutes waited per visit", "operations", "min",
         "lower", 20, 5, 0.09, 8, "during"),
        ("efficiency", "one_visit_rate", "Done in one visit", "Visits that settle the matter", "operations", "share",
         "higher", 0.6, 1, 0.09, 0.88, "during"),
        ("environment", "tidiness", "Tidiness", "Inspectors' rating", "operations", "0-100",
         "higher", 40, 100, 0.04, 80, "before"),
        ("environment", "fault_rate", "Machine faults", "Faults per machine hour", "operations", "per hour",
         "lower", 0.01, 0, 0.04, 0.003, "during"),
        ("innovation", "new_services", "New services", "Services introduced", "operations", "count",
         "higher", 0, 12, 0.05, 6, "before"),
        ("assurance", "loss_rate", "Losses", "Parcels lost of delivered", "operations", "share",
         "lower", 0.003, 0, 0.08, 0.001, "after"),
        ("assurance", "kept_promise_rate", "Promise kept", "Tickets solved within seven days", "tickets", "share",
         "higher", 0.5, 1, 0.07, 0.9, "after"),
        ("delivery", "on_time_rate", "On time", "Parcels delivered on time", "operations", "share",
         "higher", 0.85, 1, 0.13, 0.95, "after"),
        ("delivery", "damage_rate", "Damage", "Parcels damaged of delivered", "operations", "share",
         "lower", 0.01, 0, 0.10, 0.004, "after"),
        ("price", "price", "Price as rated", "Mean of pric1 and pric2", "survey", "1-5",
         "higher", 1, 5, 0.10, 3.6, "before"),
        ("satisfaction", "satisfaction", "Satisfaction", "Mean of sati1 to sati3", "survey", "1-5",
         "higher", 1, 5, 0.05, 3.8, "after"),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(columns))


def improvement_plan() -> pd.DataFrame:
    """Actions of the four companies; Cedar's make up its programme."""
    columns = ["id", "problem", "indicator", "unit", "measure", "responsible", "start", "due", "done", "status"]
    rows = [
        ("A01", "Parcels late", "on_time_rate", "Cedar", "Automatic sorting", "transport",
         "2026-01-05", "2026-03-31", "2026-03-20", "done"),
        ("A02", "Long waits", "waiting_time", "Cedar", "Counters by appointment", "outlets",
         "2026-01-05", "2026-02-28", "2026-02-25", "done"),
        ("A03", "Staff unsure", "quality", "Cedar", "Training of counter staff", "human resources",
         "2026-01-12", "2026-04-30", "2026-05-15", "done"),
        ("A04", "Claims drag on", "kept_promise_rate", "Cedar", "Claims desk", "claims",
         "2026-01-19", "2026-03-31", "2026-03-31", "done"),
        ("A05", "Parcels damaged", "damage_rate", "Cedar", "New crates", "transport",
         "2026-02-01", "2026-05-31", "", "late"),
        ("A06", "Losses", "loss_rate", "Cedar", "Scan at every hand-over", "transport",
         "2026-04-01", "2026-09-30", "", "under way"),
        ("A07", "Prices unclear", "price", "Aspen", "One price list", "finance",
         "2026-05-01", "2026-08-31", "", "under way"),
        ("A08", "Outlets worn", "tidiness", "Dogwood", "Repairs in twelve outlets", "outlets",
         "2026-03-01", "2026-06-15", "", "late"),
        ("A09", "App outdated", "new_services", "Dogwood", "New app", "digital",
         "2026-07-01", "2026-12-31", "", "planned"),
        ("A10", "Queues at peak", "waiting_time", "Birch", "Extra counters in November", "outlets",
         "2026-10-01", "2026-11-01", "", "planned"),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def published_cases() -> pd.DataFrame:
    """Figures as a report would print them, of the year before and of a company without raw data."""
    rows = [
        ("Aspen", "2024", "satisfaction_index", 67.9, 2100), ("Birch", "2024", "satisfaction_index", 66.0, 1980),
        ("Cedar", "2024", "satisfaction_index", 61.8, 2050), ("Dogwood", "2024", "satisfaction_index", 65.1, 1900),
        ("Elm", "2024", "satisfaction_index", 69.4, 1500), ("Elm", "2025", "satisfaction_index", 70.2, 1480),
        ("Aspen", "2024", "complaints_per_million", 610.0, ""), ("Birch", "2024", "complaints_per_million", 690.0, ""),
        ("Cedar", "2024", "complaints_per_million", 905.0, ""), ("Dogwood", "2024", "complaints_per_million", 700.0, ""),
        ("Elm", "2025", "complaints_per_million", 540.0, ""),
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["unit", "period", "measure", "value", "n"])
    return table.assign(source=PROVENANCE)


def mechanism_comparison() -> pd.DataFrame:
    """Three invented regulators on four criteria, each read by two coders."""
    levels = {
        ("Office for Mail", "Northland"): {"complaint route": 3, "publication": 3, "compensation": 2, "survey": 3},
        ("Parcel Board", "Eastmark"): {"complaint route": 2, "publication": 1, "compensation": 3, "survey": 1},
        ("Postal Agency", "Southisle"): {"complaint route": 1, "publication": 2, "compensation": 1, "survey": 2},
    }
    rows = [
        (organisation, country, criterion, level - (coder == "K2" and (criterion, level) == ("survey", 2)), coder)
        for (organisation, country), by_criterion in levels.items()
        for criterion, level in by_criterion.items()
        for coder in ("K1", "K2")
    ]
    table = pd.DataFrame(rows, columns=["organisation", "country", "criterion", "level", "coder"])
    words = {0: "nothing found", 1: "announced only", 2: "in parts", 3: "in full"}
    table["evidence"], table["source"] = table["level"].map(words), PROVENANCE
    return table[["organisation", "country", "criterion", "level", "evidence", "source", "coder"]]
