"""Shares of patterns of marks."""

import pandas as pd

from cxresearch.core.patterns import Patterns
from cxresearch.core.results import tidy, words
from cxresearch.methods.shares import wilson_share


def pattern_rows(quantity: str, patterns: Patterns, method: str = "") -> pd.DataFrame:
    """A row of a result's table for each pattern: its share of the rows with Wilson's interval, term = its marks."""
    share = wilson_share(patterns.counts, patterns.n)
    return tidy(
        quantity, share.estimate, term=patterns.names, std_error=share.std_error, conf_low=share.low, conf_high=share.high,
        n=patterns.n, method=words(method, "wilson"),
    )  # fmt: skip
