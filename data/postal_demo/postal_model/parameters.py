"""SYNTHETIC: every number of the model that the tables are drawn from; truth.json repeats them.

Latent scales have a standard deviation of 1 within one branch, quarter and age group. Vectors over drivers follow DRIVERS.
"""

import numpy as np

SEED = 20261121
RESPONDENTS = 3200

# --- who is asked -----------------------------------------------------------------------------------------------------
COMPANIES = ("Aspen", "Birch", "Cedar", "Dogwood")
COMPANY_SHARES = np.array([0.30, 0.26, 0.24, 0.20])  # of customers; the sample follows them
REGIONS = ("East", "Central", "West")
REGION_SHARES = np.array([0.45, 0.33, 0.22])  # of customers; the sample takes a third from each
AGES = ("18-29", "30-44", "45-59", "60+")
AGE_SHARES = np.array([0.28, 0.34, 0.23, 0.15])  # of customers
RESPONSE_RATES = np.array([0.20, 0.26, 0.34, 0.36])  # by age: the older answer more often
GENDERS = ("female", "male")
QUARTERS = ("2025Q3", "2025Q4", "2026Q1", "2026Q2")
MONTHS = tuple(
    f"{year}-{month:02d}" for year, months in ((2025, range(7, 13)), (2026, range(1, 7))) for month in months
)
BRANCHES_PER_CELL = 4  # branches in each of the 12 cells of company and region

# --- what is asked ----------------------------------------------------------------------------------------------------
DRIVERS = ("quality", "efficiency", "environment", "innovation", "assurance", "delivery", "price")
CONSTRUCTS = (*DRIVERS, "satisfaction", "loyalty")
ITEMS = {
    "quality": ("qual1", "qual2", "qual3"),
    "efficiency": ("effi1", "effi2", "effi3"),
    "environment": ("envi1", "envi2", "envi3"),
    "innovation": ("inno1", "inno2"),
    "assurance": ("assu1", "assu2", "assu3"),
    "delivery": ("deli1", "deli2", "deli3"),
    "price": ("pric1", "pric2"),
    "satisfaction": ("sati1", "sati2", "sati3"),
    "loyalty": ("loya1", "loya2", "loya3"),
}
REVERSED = ("effi1",)  # asked as "I had to wait too long": the table holds 6 minus the answer of the model
EXPECTATIONS = ("expe1", "expe2", "expe3")  # what was expected of deli1, deli2, deli3
REASONS = ("why_price", "why_speed", "why_near", "why_safe", "why_habit")
WORDED = {  # constructs whose answers the table holds in words, from 1 to 5
    "price": ("非常不满意", "不满意", "一般", "满意", "非常满意"),
    "innovation": ("strongly disagree", "disagree", "neither", "agree", "strongly agree"),
}

# --- latent drivers ---------------------------------------------------------------------------------------------------
GENERAL = np.array([0.70, 0.72, 0.56, 0.46, 0.66, 0.70, 0.52])  # loading of each driver on one general impression
COMPANY_EFFECTS = np.array(
    [
        [0.15, 0.10, 0.20, 0.15, 0.10, 0.20, -0.15],
        [0.00, 0.05, 0.00, 0.05, 0.00, 0.00, 0.10],
        [-0.25, -0.35, -0.05, -0.05, -0.20, -0.30, 0.05],
        [0.05, 0.00, -0.15, -0.10, 0.05, -0.05, 0.10],
    ]
)
REGION_EFFECTS = np.array(
    [
        [0.00, 0.00, 0.05, 0.05, 0.00, 0.05, 0.00],
        [-0.03, -0.03, 0.00, 0.00, 0.00, -0.03, 0.00],
        [-0.08, -0.10, -0.15, -0.10, -0.05, -0.15, 0.05],
    ]
)
AGE_EFFECTS = np.array(
    [
        [-0.08, -0.10, -0.05, 0.05, -0.05, -0.08, -0.10],
        [0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00],
        [0.05, 0.05, 0.03, -0.05, 0.05, 0.05, 0.05],
        [0.12, 0.10, 0.08, -0.20, 0.10, 0.10, 0.10],
    ]
)
QUARTER_EFFECTS = np.array(
    [
        [0.00, 0.00, 0.00, 0.00, 0.00, 0.00, 0.00],
        [-0.05, -0.15, 0.00, 0.00, 0.00, -0.15, 0.00],  # peak season
        [0.00, 0.00, 0.00, 0.03, 0.00, 0.00, 0.00],
        [0.00, 0.03, 0.00, 0.05, 0.00, 0.03, 0.00],
    ]
)
PROGRAMME_COMPANY = "Cedar"
PROGRAMME_EFFECTS = np.array([0.25, 0.45, 0.05, 0.00, 0.20, 0.40, 0.00])  # when fully at work
PROGRAMME_RAMP = np.array([0.0, 0.0, 0.6, 1.0])  # share at work by quarter
BRANCH_SD_COMMON = 0.22  # a branch is good or bad in everything
BRANCH_SD_SPECIFIC = 0.15  # and in single drivers

# --- outcomes ---------------------------------------------------------------------------------------------------------
SLOPES = np.array([0.22, 0.20, 0.06, 0.05, 0.15, 0.28, 0.14])  # satisfaction on the drivers
LOYALTY_SLOPES = {"satisfaction": 0.66, "price": 0.14}
LOYALTY_SD = 0.62
RECOMMEND_SLOPES = {"satisfaction": 0.55, "loyalty": 0.35}
RECOMMEND_SD = 0.55
EXPECTATION_SLOPE = 0.30  # expectation on the latent delivery
EXPECTATION_SHIFT = 0.55

# --- answers ----------------------------------------------------------------------------------------------------------
LOADINGS = {
    "qual1": 0.82, "qual2": 0.76, "qual3": 0.79,
    "effi1": 0.70, "effi2": 0.83, "effi3": 0.77,
    "envi1": 0.68, "envi2": 0.80, "envi3": 0.76,
    "inno1": 0.85, "inno2": 0.84,
    "assu1": 0.80, "assu2": 0.78, "assu3": 0.66,
    "deli1": 0.81, "deli2": 0.74, "deli3": 0.72,
    "pric1": 0.88, "pric2": 0.83,
    "sati1": 0.88, "sati2": 0.82, "sati3": 0.78,
    "loya1": 0.85, "loya2": 0.80, "loya3": 0.64,
    "expe1": 0.75, "expe2": 0.70, "expe3": 0.70,
}  # fmt: skip
THRESHOLDS = np.array([-1.95, -1.15, -0.30, 0.85])  # of an item with easiness 0
EASINESS = {  # added to the latent answer before the cut
    "qual1": 0.25, "qual2": 0.05, "qual3": 0.10,
    "effi1": -0.35, "effi2": 0.00, "effi3": 0.15,
    "envi1": -0.10, "envi2": 0.05, "envi3": 0.20,
    "inno1": 0.00, "inno2": -0.25,
    "assu1": -0.05, "assu2": 0.30, "assu3": 0.10,
    "deli1": -0.10, "deli2": 0.35, "deli3": 0.25,
    "pric1": -0.30, "pric2": -0.15,
    "sati1": 0.15, "sati2": 0.00, "sati3": -0.20,
    "loya1": 0.30, "loya2": 0.00, "loya3": -0.45,
    "expe1": 0.00, "expe2": 0.20, "expe3": 0.00,
}  # fmt: skip
RECOMMEND_THRESHOLDS = np.array([-2.2, -1.95, -1.7, -1.45, -1.2, -0.75, -0.4, 0.0, 0.5, 0.95])  # 0 | 1 | ... | 10
REASON_RATES = {"why_price": (-0.6, 0.5), "why_speed": (-0.2, 0.5), "why_near": (-0.3, 0.4), "why_safe": (-0.9, 0.5)}
REASON_DRIVERS = {"why_price": "price", "why_speed": "efficiency", "why_near": "environment", "why_safe": "assurance"}
HABIT_RATE = 0.35

# --- dirt -------------------------------------------------------------------------------------------------------------
MISSING_RATE = 0.006  # of any answer, at random
INNOVATION_MISSING = np.array([0.0, 0.01, 0.04, 0.12])  # more, by age: who does not use the app skips it
BREAK_OFF_RATE = 0.015  # respondents who skip the last page (loyalty, recommendation)
CODED_MISSING = 0.4  # of missing answers that are written as -99 instead of left blank
STRAIGHTLINER_RATE = 0.025
SPEEDER_RATE = 0.03
SPEEDER_GUESSING = 0.6  # share of a speeder's answers that are guesses
DUPLICATE_ROWS = 24
OUT_OF_SCALE_CELLS = 32  # item answers of 9
OUT_OF_SCALE_RECOMMEND = 6  # recommendations of 99
CONTACT_COMMENTS = 16  # comments that end with personal data
MISSING_CODE = -99


def driver_correlation() -> np.ndarray:
    """(7, 7) correlation of the drivers within branch, quarter and age group: one general impression."""
    correlation = np.outer(GENERAL, GENERAL)
    np.fill_diagonal(correlation, 1.0)
    return correlation


def satisfaction_sd() -> float:
    """Standard deviation of what the drivers leave of satisfaction: latent satisfaction has variance 1."""
    return float(np.sqrt(1 - SLOPES @ driver_correlation() @ SLOPES))


def programme() -> np.ndarray:
    """(companies, quarters, drivers) effect of the improvement programme."""
    effect = np.zeros((len(COMPANIES), len(QUARTERS), len(DRIVERS)))
    effect[COMPANIES.index(PROGRAMME_COMPANY)] = PROGRAMME_RAMP[:, None] * PROGRAMME_EFFECTS
    return effect


def survey_weights() -> np.ndarray:
    """(regions, ages) weight of a respondent: share among customers over share in the sample."""
    by_age = (AGE_SHARES @ RESPONSE_RATES) / RESPONSE_RATES
    return np.outer(REGION_SHARES * len(REGIONS), by_age)
