"""How well a covariance model fits: chi-square, comparative and absolute indices, plain and scaled."""

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq
from scipy.special import chdtr, chdtrc, chndtr

LEVEL = 0.90  # of the interval of RMSEA, by custom


@dataclass(frozen=True, slots=True)
class FitIndices:
    """Fit of one model to one sample.

    Attributes
    ----------
    chi2, df, p_value : likelihood-ratio test against the unrestricted covariances, divided by its scaling factor where there is one
    cfi, tli : against the model of unrelated items; 1 for a saturated model
    rmsea, rmsea_low, rmsea_high : with its 90 % interval
    srmr : root mean square of the standardised residual covariances, diagonal included
    scaling : correction factor of chi-square; 1 for the plain one
    """

    chi2: float
    df: int
    p_value: float
    cfi: float
    tli: float
    rmsea: float
    rmsea_low: float
    rmsea_high: float
    srmr: float
    scaling: float


def fit_indices(
    corr: np.ndarray, implied: np.ndarray, n: int, df: int, *, scalings: tuple[float, float] = (1.0, 1.0)
) -> FitIndices:
    """Judge an implied matrix (p, p) against the correlations (p, p) that it was fitted to.

    Parameters
    ----------
    corr, implied : both in units of the items' sample deviations
    n : respondents
    df : degrees of freedom of the model
    scalings : correction factors of the model and of the model of unrelated items. With those, chi-square is the scaled one, and
        CFI, TLI and RMSEA are the robust forms

    References
    ----------
    Bentler (1990) Psychological Bulletin 107:238-246, doi:10.1037/0033-2909.107.2.238. Steiger (1990) Multivariate Behavioral
    Research 25:173-180, doi:10.1207/s15327906mbr2502_4. Brosseau-Liard, Savalei and Li (2012) Multivariate Behavioral Research
    47:904-930, doi:10.1080/00273171.2012.715252 (robust RMSEA). Brosseau-Liard and Savalei (2014) Multivariate Behavioral
    Research 49:460-470, doi:10.1080/00273171.2014.933697 (robust CFI and TLI).

    Examples
    --------
    >>> corr = np.array([[1, 0.5, 0.4], [0.5, 1, 0.3], [0.4, 0.3, 1]])
    >>> print(round(fit_indices(corr, np.eye(3), 100, 3).chi2, 3))
    47.804
    """
    p = len(corr)
    log_corr, log_implied = np.linalg.slogdet(corr)[1], np.linalg.slogdet(implied)[1]
    raw = max(n * float(log_implied - log_corr + np.trace(np.linalg.solve(implied, corr)) - p), 0.0)
    plain, plain_df = -n * float(log_corr), p * (p - 1) // 2
    srmr = float(np.sqrt(((corr - implied)[np.tril_indices(p)] ** 2).mean()))
    return indices_of((raw, df), (plain, plain_df), n, srmr, scalings)


def indices_of(
    own: tuple[float, int],
    unrelated: tuple[float, int],
    n: int,
    srmr: float,
    scalings: tuple[float, float],
    *,
    n_groups: int = 1,
) -> FitIndices:
    """Indices of chi-square and df of the model and of the model of unrelated items, both without scaling.

    RMSEA of several groups is the misfit per degree of freedom of one group (Steiger 1998 Structural Equation Modeling 5:411-419,
    doi:10.1080/10705519809540115).
    """
    (raw, df), (plain, plain_df), (factor, plain_factor) = own, unrelated, scalings
    excess, plain_excess = raw - factor * df, plain - plain_factor * plain_df
    worst = max(excess, plain_excess, 0.0)
    low, high = _rmsea_interval(raw / factor, df, n, factor * n_groups)
    return FitIndices(
        chi2=raw / factor,
        df=df,
        p_value=float(chdtrc(df, raw / factor)) if df else np.nan,
        cfi=1 - max(excess, 0.0) / worst if df and worst > 0 else 1.0,
        tli=1 - (excess * plain_df) / (plain_excess * df) if df and plain_excess else 1.0,
        rmsea=float(np.sqrt(n_groups * max(excess / (n * df), 0.0))) if df else 0.0,
        rmsea_low=low,
        rmsea_high=high,
        srmr=srmr,
        scaling=factor,
    )


def ordinal_indices(
    corr: np.ndarray,
    implied: np.ndarray,
    weights: np.ndarray,
    gamma: np.ndarray,
    traces: tuple[float, float],
    n: int,
    df: int,
) -> FitIndices:
    """Judge a factor model fitted to polychoric correlations by weighted least squares, by scaled and shifted chi-squares.

    With T = n times the weighted squares, chi-square is a T + df - a tr(U gamma), where a = sqrt(df / tr((U gamma)^2)): it has mean
    and variance of a chi-square. CFI and TLI compare it with that of unrelated items; RMSEA is computed
    from it, per n - 1.

    Parameters
    ----------
    corr, implied : (p, p)
    weights : (m,) of the m = p(p - 1)/2 pairs
    gamma : (m, m) asymptotic covariance of the correlations, times n
    traces : tr(U gamma) and tr((U gamma)^2), U being the weights less what the parameters fit
    n : respondents
    df : degrees of freedom of the model

    References
    ----------
    Asparouhov and Muthén (2010) Simple second order chi-square correction, Mplus technical appendix. Xia and Yang (2019) Behavior
    Research Methods 51:409-428, doi:10.3758/s13428-018-1055-2 (what these indices can and cannot say).
    """
    upper = np.triu_indices(len(corr), 1)
    squares, plain_squares = (weights @ part**2 for part in ((corr - implied)[upper], corr[upper]))
    plain_df = len(weights)
    plain_traces = float(weights @ np.diag(gamma)), float(weights @ gamma**2 @ weights)
    factor, chi2 = _scaled_and_shifted(n * squares, df, traces)
    _, plain = _scaled_and_shifted(n * plain_squares, plain_df, plain_traces)
    srmr = float(np.sqrt(((corr - implied)[np.tril_indices(len(corr))] ** 2).mean()))
    return replace(indices_of((chi2, df), (plain, plain_df), n - 1, srmr, (1.0, 1.0)), scaling=factor)


def _scaled_and_shifted(statistic: float, df: int, traces: tuple[float, float]) -> tuple[float, float]:
    """Scaling factor 1 / a and chi-square of a statistic, given tr(U gamma) and tr((U gamma)^2)."""
    if not df:
        return 1.0, 0.0
    scale = np.sqrt(df / traces[1])
    return float(1 / scale), float(scale * (statistic - traces[0]) + df)


def _rmsea_interval(chi2: float, df: int, n: int, factor: float) -> tuple[float, float]:
    """RMSEA of the noncentral chi-squares in whose upper and lower 5 % this chi-square lies."""
    if not df:
        return 0.0, 0.0
    bounds = []
    for share in ((1 + LEVEL) / 2, (1 - LEVEL) / 2):
        if chdtr(df, chi2) <= share:
            bounds.append(0.0)
            continue
        most = max(float(n), 4 * chi2)
        while chndtr(chi2, df, most) > share:
            most *= 2
        noncentrality = brentq(
            lambda value, goal=share: chndtr(chi2, df, value) - goal, 0, most, xtol=1e-10, rtol=1e-12
        )
        bounds.append(float(np.sqrt(factor * noncentrality / (n * df))))
    return bounds[0], bounds[1]


def information_criteria(
    log_implied: float, trace: float, p: int, n: int, n_parameters: int
) -> tuple[float, float, float]:
    """Log-likelihood of n normal rows of p items, AIC and BIC; `log_implied` and `trace` in the units of the items."""
    likelihood = -n / 2 * (p * np.log(2 * np.pi) + log_implied + trace)
    return likelihood, -2 * likelihood + 2 * n_parameters, -2 * likelihood + n_parameters * np.log(n)
