"""Draws of a bootstrap, and the intervals of what was estimated from them."""

from collections.abc import Iterator

import numpy as np

from cxresearch.errors import InputError

CHUNK = 256  # replicates weighed at a time; bounds the memory of a bootstrap, does not change its numbers


def resample_counts(n_units: int, n_bootstrap: int, *, seed: int, clustered: bool) -> Iterator[tuple[int, np.ndarray]]:
    """Blocks of (first replicate, counts (b, n_units)): how often each row or cluster is drawn.

    The same seed and number of units give the same draws, whatever is resampled.

    Raises
    ------
    InputError
        For fewer than two units, or an `n_bootstrap` that is no whole number of 0 or more.
    """
    if not isinstance(n_bootstrap, int | np.integer) or isinstance(n_bootstrap, bool) or n_bootstrap < 0:
        raise InputError(
            "`n_bootstrap` must be a whole number of 0 or more", f"found {n_bootstrap!r}", "2000 is usual; 0 is none."
        )
    if n_units < 2:
        raise InputError("a bootstrap needs two rows or clusters", f"found {n_units}", "Check `where` and `cluster`.")
    return _blocks(n_units, n_bootstrap, seed, draws=n_units - 1 if clustered else n_units)


def _blocks(n_units: int, n_bootstrap: int, seed: int, *, draws: int) -> Iterator[tuple[int, np.ndarray]]:
    rng = np.random.default_rng(seed)
    shares = np.full(n_units, 1 / n_units)
    for start in range(0, n_bootstrap, CHUNK):
        size = min(CHUNK, n_bootstrap - start)
        yield start, rng.multinomial(draws, shares, size=size).astype(float)


def interval(
    replicates: np.ndarray, level: float = 0.95, *, n_units: int, clustered: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Expanded percentile interval over the first axis of replicates (B, ...); nan replicates give a nan interval.

    Parameters
    ----------
    replicates : estimates of resamples
    level : wanted coverage
    n_units, clustered : what was drawn from, as for `resample_counts`
    """
    tail = expanded_tail(level, n_units, clustered=clustered)
    low, high = np.quantile(replicates, [tail, 1 - tail], axis=0)
    return low, high


def expanded_tail(level: float, n_units: int, *, clustered: bool = False) -> float:
    """Share of the replicates to cut off at either end: Phi(t) for the quantile t of t with n_units - 1.

    Plain percentiles are those of a normal distribution whose spread is known. Where n of n rows are drawn, t is stretched
    by sqrt(n / (n - 1)) too, as the variance of a resample is that much too small; clusters, of which G - 1 are drawn, do not
    need it.

    References
    ----------
    Hesterberg (2015) The American Statistician 69:371-386, doi:10.1080/00031305.2015.1089789.

    >>> [round(expanded_tail(0.95, n), 4) for n in (10, 50, 1000)]
    [0.0086, 0.0212, 0.0248]
    """
    from scipy.special import ndtr, stdtrit

    stretch = 1.0 if clustered else np.sqrt(n_units / (n_units - 1))
    return float(ndtr(stretch * stdtrit(n_units - 1, (1 - level) / 2)))
