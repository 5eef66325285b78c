"""Multiple imputation: missing answers drawn anew m times, and Rubin's rules for what is estimated from each."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from cxresearch.core.design import Design
from cxresearch.core.em import bootstrap_em
from cxresearch.core.incomplete import IncompleteRows
from cxresearch.errors import InputError

RUBIN = "rubin"  # in `method`: pooled over imputations by Rubin's rules


def impute(frame: pd.DataFrame, m: int, *, seed: int, design: Design | None = None) -> Iterator[pd.DataFrame]:
    """The frame m times over, each time with its missing answers drawn from what the known ones make likely.

    Means and covariances are estimated by EM in m resamples of the rows or clusters, so that their doubt enters; from each,
    missing answers are drawn from their normal distribution given the row's known ones. They are not rounded to the answer scale nor
    cut at its ends, which would bias what is estimated from them. Rows without any answer are left out.

    Parameters
    ----------
    frame : (n, p) numeric, nan where not answered
    m : imputations, 2 or more
    design : weights and clusters of the rows

    Raises
    ------
    InputError
        As `em_moments`; for fewer than two imputations, or where a resample has no moments.

    References
    ----------
    Honaker and King (2010) American Journal of Political Science 54:561-581, doi:10.1111/j.1540-5907.2010.00447.x (EM with
    bootstrapping). Rubin (1987) Multiple Imputation for Nonresponse in Surveys, doi:10.1002/9780470316696.
    """
    if not isinstance(m, int | np.integer) or isinstance(m, bool) or m < 2:
        raise InputError("`n_imputations` must be a whole number of 2 or more", f"found {m!r}", "20 is usual.")
    rows = IncompleteRows.of(frame)
    draws = bootstrap_em(frame, m, seed=seed, design=design)
    if not np.isfinite(draws.cov).all():
        raise InputError(
            "every resample of the rows must have maximum-likelihood moments",
            f"{int((~np.isfinite(draws.cov).all(axis=(1, 2))).sum())} of {m} have none",
            "Leave out items with few answers, or use the complete rows: `missing_policy: drop`.",
        )
    rng = np.random.default_rng([seed, m])
    back = np.argsort(rows.order)
    for mean, cov in zip(draws.mean, draws.cov, strict=True):
        filled = _filled(rows, *rows.standardized(mean, cov), rng)
        yield pd.DataFrame((filled * rows.scale + rows.centre)[back], index=rows.index, columns=frame.columns)


def _filled(rows: IncompleteRows, mean: np.ndarray, cov: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Standardised answers (n, p), those missing drawn."""
    filled = rows.answers.copy()
    for group in rows.groups:
        for number, lacking in enumerate(group.patterns):
            place = rows.n_complete + group.rows[group.pattern == number]
            there = np.setdiff1d(np.arange(len(mean)), lacking)
            slopes = np.linalg.lstsq(cov[np.ix_(there, there)], cov[np.ix_(there, lacking)], rcond=None)[0]
            left = cov[np.ix_(lacking, lacking)] - cov[np.ix_(lacking, there)] @ slopes
            roots, vectors = np.linalg.eigh(left)
            spread = vectors * np.sqrt(np.maximum(roots, 0.0))
            known = filled[np.ix_(place, there)] - mean[there]
            noise = rng.standard_normal((len(place), len(lacking)))
            filled[np.ix_(place, lacking)] = mean[lacking] + known @ slopes + noise @ spread.T
    return filled


@dataclass(frozen=True, slots=True)
class Pooled:
    """What m imputed data sets say together of k numbers.

    Attributes
    ----------
    estimate, std_error : (k,)
    df : (k,) degrees of freedom of t
    missing_information : (k,) share of the information that is lost with the missing answers
    """

    estimate: np.ndarray
    std_error: np.ndarray
    df: np.ndarray
    missing_information: np.ndarray


def pool(estimates: np.ndarray, variances: np.ndarray, df_complete: float) -> Pooled:
    """Rubin's rules for estimates (m, k) and their variances (m, k), with the degrees of freedom of Barnard and Rubin.

    The total variance is the mean variance within the imputations plus (1 + 1/m) times the variance between them.

    Parameters
    ----------
    df_complete : degrees of freedom that the same numbers would have of complete rows

    References
    ----------
    Rubin (1987), doi:10.1002/9780470316696. Barnard and Rubin (1999) Biometrika 86:948-955, doi:10.1093/biomet/86.4.948.

    Examples
    --------
    >>> pooled = pool(np.array([[1.0], [2.0], [3.0]]), np.full((3, 1), 0.5), 100.0)
    >>> pooled.estimate, pooled.std_error.round(4), pooled.df.round(2)
    (array([2.]), array([1.354]), array([3.31]))
    """
    m = len(estimates)
    within, between = variances.mean(axis=0), estimates.var(axis=0, ddof=1)
    total = within + (1 + 1 / m) * between
    share = (1 + 1 / m) * between / total
    with np.errstate(divide="ignore", invalid="ignore"):
        old = (m - 1) / share**2
        seen = (df_complete + 1) / (df_complete + 3) * df_complete * (1 - share)
        df = np.where(np.isinf(old), seen, old * seen / (old + seen))
    return Pooled(estimates.mean(axis=0), np.sqrt(total), df, (share * (df + 1) + 2) / (df + 3))
