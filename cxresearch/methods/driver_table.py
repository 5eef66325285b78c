"""The numbers of a driver regression that moments alone give: explained variance, importance, the importance-performance map."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from cxresearch.core.moments import Moments
from cxresearch.core.results import gather, tidy, words
from cxresearch.methods.driver_rows import BOOTSTRAP, Fit, with_interval
from cxresearch.methods.importance import MOST_DRIVERS, adjust, betas, inflation, johnson, lmg, r_squared

FEWEST_ON_MAP = 3  # the mean over two drivers always lies between them: it tells nothing
CONCENTRATE, KEEP_UP, LOW_PRIORITY, OVERKILL = 1, 2, 3, 4  # quadrants A to D of Martilla and James (1977)


def driver_table(
    moments: Moments,
    replicates: Moments,
    fit: Fit,
    correlation_rows: pd.DataFrame,
    ranges: Mapping[str, tuple[float, float]] | None,
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """All rows, and the headline numbers among them."""
    n, names, design_words = int(moments.n), list(moments.names[:-1]), moments.design_words
    common: dict[str, Any] = {"scale": "drivers", "n": n}
    by_driver = common | {"term": names}
    ols = words("ols", design_words)
    add = partial(with_interval, replicates)
    total = r_squared(moments.corr)
    adjusted, stack = (adjust(r_squared(m.corr), n, len(names)) for m in (moments, replicates))
    parts = [  # the percentiles of R² itself lie too high, so both take those of adjusted R², which estimates the same
        _cut(add("r_squared", total, stack, method=ols, how="adjusted " + BOOTSTRAP, **common)),
        _cut(add("adjusted_r_squared", adjusted, stack, method=ols, **common)),
        fit.rows,
        add("beta", betas(moments.corr), betas(replicates.corr), method=ols, **by_driver),
        tidy("vif", inflation(moments.corr), method=design_words, **by_driver),
    ]
    shares = {"johnson": (johnson(moments.corr), johnson(replicates.corr))}
    if len(names) <= MOST_DRIVERS:
        shares = {"lmg": (lmg(moments.corr), lmg(replicates.corr))} | shares
    parts += [
        add(f"importance_{kind}", share, stack, method=design_words, **by_driver)
        for kind, (share, stack) in shares.items()
    ]
    main = next(iter(shares))
    performance, crosshair, on_hundred = _performance_rows(
        moments, replicates, ranges, main, shares[main][0], by_driver
    )
    parts += [correlation_rows, performance]
    headline = {
        "r_squared": float(total), "adjusted_r_squared": float(adjusted), "importance": main,
        "crosshair": crosshair, "on_hundred": on_hundred, "leads": _leads(*shares[main], replicates),
    }  # fmt: skip
    return gather(parts), headline


def _leads(share: np.ndarray, stack: np.ndarray, replicates: Moments) -> bool:
    """Whether the largest share can be told from the next: the interval of their difference lies above 0."""
    if len(share) == 1:
        return True
    if len(stack) < 2:
        return False
    first, second = np.argsort(-share)[:2]
    return bool(replicates.interval(stack[:, first] - stack[:, second])[0] > 0)


def _performance_rows(
    moments: Moments,
    replicates: Moments,
    ranges: Mapping[str, tuple[float, float]] | None,
    kind: str,
    share: np.ndarray,
    columns: Mapping[str, Any],
) -> tuple[pd.DataFrame, tuple[float, float] | None, bool]:
    """Performance and quadrant of each driver, the crosshair, and whether performance is on 0 to 100."""
    names = moments.names[:-1]
    on_hundred = ranges is not None and all(name in ranges for name in names)
    low, high = np.array([ranges[name] for name in names], float).T if on_hundred and ranges else (0.0, 100.0)
    performance, stack = (100 * (m.mean[..., :-1] - low) / (high - low) for m in (moments, replicates))
    unit = "mean, 0 to 100" if on_hundred else "mean"
    if np.isnan(performance).any():  # moments of a matrix that was published without means
        return tidy("performance", []), None, on_hundred
    how = words(unit, moments.design_words)
    rows = with_interval(replicates, "performance", performance, stack, method=how, **columns)
    if len(names) < FEWEST_ON_MAP:
        return rows, None, on_hundred
    crosshair = float(performance.mean()), float(share.mean())
    well, heavy = performance >= crosshair[0], share >= crosshair[1]
    quadrant = np.where(heavy, np.where(well, KEEP_UP, CONCENTRATE), np.where(well, OVERKILL, LOW_PRIORITY))
    how = words(kind, unit, "crosshair at means", moments.design_words)
    return gather([rows, tidy("quadrant", quadrant, method=how, **columns)]), crosshair, on_hundred


def outcome_score(
    moments: Moments, replicates: Moments, ranges: Mapping[str, tuple[float, float]] | None
) -> pd.DataFrame:
    """The mean of the outcome on 0 to 100, which studies with different scales share; no row where its range is not known.

    Parameters
    ----------
    moments, replicates : with the outcome as the last of their names
    """
    outcome = moments.names[-1]
    if ranges is None or outcome not in ranges or np.isnan(moments.mean[-1]):
        return tidy("construct_score", [])
    low, high = ranges[outcome]
    score, stack = (100 * (m.mean[..., -1] - low) / (high - low) for m in (moments, replicates))
    how = words("mean, 0 to 100", moments.design_words)
    return with_interval(replicates, "construct_score", score, stack, method=how, scale=outcome, n=int(moments.n))


def _cut(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of a share, its interval kept between 0 and 1."""
    return rows.assign(**{bound: rows[bound].clip(0, 1) for bound in ("conf_low", "conf_high")})
