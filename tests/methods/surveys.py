"""Real surveys that several tests of methods read."""

from pathlib import Path

import numpy as np
import pandas as pd

DATA = Path(__file__).parents[2] / "data"
ECSI = {
    "image": [f"IMAG{i}" for i in range(1, 6)],
    "expectation": [f"CUEX{i}" for i in range(1, 4)],
    "quality": [f"PERQ{i}" for i in range(1, 8)],
    "value": ["PERV1", "PERV2"],
    "satisfaction": ["CUSA1", "CUSA2", "CUSA3"],
    "complaints": ["CUSCO"],
    "loyalty": ["CUSL1", "CUSL2", "CUSL3"],
}

THREE = {name: ECSI[name] for name in ("image", "quality", "value")}
POSTAL = {
    "quality": ["qual1", "qual2", "qual3"],
    "satisfaction": ["sati1", "sati2", "sati3"],
    "loyalty": ["loya1", "loya2"],
}


def read_ecsi() -> pd.DataFrame:
    """The 250 answers to the ECSI survey of a mobile operator, 1 to 10."""
    return pd.read_csv(DATA / "ecsi_mobile" / "mobi.csv").astype(float)


def read_incomplete_ecsi() -> pd.DataFrame:
    """The same with the answers taken out that tests/reference/missing/reference.R takes out."""
    whole = read_ecsi()
    i, j = np.indices(whole.shape)
    lacking = whole.mask((7 * i + 13 * j + i * j) % 17 == 0)
    lacking["IMAG5"] = lacking["IMAG5"].mask(whole["IMAG4"] < 7)
    lacking.iloc[30] = np.nan
    return lacking
