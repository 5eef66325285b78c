"""Which answers are missing together, and whether they may be missing completely at random."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from cxresearch.core.cautions import sample_numbers
from cxresearch.core.design import Design
from cxresearch.core.em import EM, em_moments
from cxresearch.core.large import LargeTable
from cxresearch.core.patterns import Patterns, distinct_patterns, partial_inverses, patterns_of_counts
from cxresearch.core.results import Finding, Result, View, gather, tidy, words
from cxresearch.core.rules import RULES
from cxresearch.errors import InputError
from cxresearch.methods.patterns import pattern_rows
from cxresearch.methods.shares import wilson_share

MANY = 10  # missing answers of a respondent from which they are counted together
_CHUNK = 2048  # patterns at a time; bounds the memory


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingResult(Result):
    """How the missing answers lie, and Little's test that they lie at random.

    Attributes
    ----------
    n_items : columns looked at
    n_complete : rows that answered all of them
    patterns : the commonest patterns of missing answers
    untested : why there is no test, in words; "" where there is one, or nothing is missing
    sampled : of which large survey the rows counted are a random sample; "" where they are all
    """

    infers: ClassVar[bool] = False
    views: ClassVar[Mapping[str, View]] = {
        "missing_counts": View(("missing_count_share",), rows=("term",)),
        "missing_patterns": View(("missing_pattern_share",), rows=("term",)),
        "mcar": View(("littles_mcar_chi2",), rows=(), columns="numbers"),
    }

    n_items: int
    n_complete: int
    patterns: Patterns
    untested: str = ""
    sampled: str = ""

    def finding(self) -> Finding:
        """How many respondents answered all, and what Little's test says, with what it cannot say."""
        values = {"n_items": self.n_items, "n": self.n_used, "complete": self.n_complete}
        drawn = sample_numbers(self.sampled)
        values |= drawn
        if self.n_complete == self.n_used:
            return Finding("missing.nothing_sampled" if drawn else "missing.nothing", values)
        return Finding(
            "missing.complete_sampled" if drawn else "missing.complete",
            {**values, "share": self.n_complete / self.n_used, "patterns": self.patterns.n_patterns},
            cautions=tuple(self._cautions()),
        )

    def _cautions(self) -> list[Finding]:
        test = self.pick("littles_mcar_chi2")
        if test.empty:
            return [Finding("missing.untested")]
        rule = RULES["significance"]
        chi2, df, p_value, method = test[["estimate", "df", "p_value", "method"]].iloc[0]
        key = "missing.not_at_random" if rule.met(p_value) else "missing.perhaps_at_random"
        values = {"chi2": chi2, "df": int(df), "p_value": p_value, "level": rule.value}
        cautions = [Finding(key, values, rule)]
        drawn = {} if self.sampled else sample_numbers(method)
        cautions += [Finding("missing.test_sampled", drawn)] if drawn else []
        return cautions + ([Finding("missing.unweighted")] if "unweighted" in method.split("; ") else [])


def check_missing(
    answers: pd.DataFrame, *, design: Design | None = None, every: pd.DataFrame | LargeTable | None = None
) -> MissingResult:
    """Count missing answers by respondent and by pattern, and test whether they are missing completely at random.

    Little's statistic is the sum over patterns of n (m - mu)' S^-1 (m - mu), m the means of the items that the pattern has, mu and S
    their maximum-likelihood means and covariances by EM (denominator n, as naniar and BaylorEdPsych have it). It presumes normal,
    independent answers and has little power with few rows a pattern. Items without spread, and rows without any answer,
    are left out. It is not weighted.

    Parameters
    ----------
    answers : (n, p) numeric, nan where not answered
    design : only to say that the test leaves weights and clusters out of account
    every : all rows, where `answers` are a random sample of them: counts and patterns are those of all rows, the test is made in the
        sample and says so

    Returns
    -------
    MissingResult with missing_count_share (term = missing answers of a respondent), missing_pattern_share (term = items missing
    together, the commonest patterns), littles_mcar_chi2 (with df and p; none where nothing is missing or EM has no solution)

    Raises
    ------
    InputError
        For text.

    References
    ----------
    Little (1988) JASA 83:1198-1202, doi:10.1080/01621459.1988.10478722.

    Examples
    --------
    >>> answers = pd.DataFrame({"q1": [1.0, 2, 3, 4, 5, 2], "q2": [2.0, 2, 4, 4, np.nan, np.nan]})
    >>> found = check_missing(answers)
    >>> found.value("missing_count_share", term="1").__round__(3), found.pick("littles_mcar_chi2")["df"].item()
    (0.333, 1.0)
    """
    text = [str(name) for name in answers if not pd.api.types.is_numeric_dtype(answers[name])]
    if text:
        raise InputError("`answers` must be numeric", f"found text in {', '.join(text)}", "Map words to numbers first.")
    design = design or Design()
    sampled = design.sampled if every is None else ""
    gaps, counts = every.gaps() if isinstance(every, LargeTable) else _gaps(answers if every is None else every)
    patterns, missing = patterns_of_counts(gaps, counts), gaps.to_numpy(bool).sum(axis=1)
    n, complete = int(counts.sum()), int(counts[missing == 0].sum())
    parts = [_count_rows(missing, counts, sampled), pattern_rows("missing_pattern_share", patterns, sampled)]
    untested = ""
    if complete < n:
        try:
            parts.append(_mcar_row(answers, design))
        except InputError as error:
            untested = str(error)
    return MissingResult(
        table=gather(parts),
        n_used=n,
        n_items=answers.shape[1],
        n_complete=complete,
        patterns=patterns,
        untested=untested,
        sampled=sampled,
    )


def _gaps(answers: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Distinct patterns (k, p) of missing answers, and the rows (k,) that have each."""
    patterns, which = distinct_patterns(answers.isna().to_numpy(bool))
    return pd.DataFrame(patterns, columns=answers.columns), np.bincount(which, minlength=len(patterns))


def _count_rows(missing: np.ndarray, rows: np.ndarray, sampled: str) -> pd.DataFrame:
    """Share of the rows by the number of their missing answers, from patterns: missing answers (k,) and rows (k,) of each."""
    counts, n = np.bincount(np.minimum(missing, MANY), rows, minlength=1), rows.sum()
    occurring = np.flatnonzero(counts)
    share = wilson_share(counts[occurring], n)
    terms = [f"{number}" if number < MANY else f"{MANY} or more" for number in occurring]
    return tidy(
        "missing_count_share", share.estimate, term=terms, std_error=share.std_error, conf_low=share.low,
        conf_high=share.high, n=n, method=words(sampled, "wilson"),
    )  # fmt: skip


def _mcar_row(answers: pd.DataFrame, design: Design) -> pd.DataFrame:
    varying = answers.loc[answers.notna().any(axis=1), answers.max() > answers.min()]
    moments = em_moments(varying)
    n = int(moments.n)
    chi2, df = littles_statistic(varying.to_numpy(float), moments.mean, moments.cov * ((n - 1) / n))
    if df < 1:
        raise InputError("the test needs two patterns of missing answers", "all rows lack the same")
    from scipy.special import chdtrc

    kind = words("little 1988", EM, "" if design.is_simple else "unweighted", design.sampled)
    return tidy("littles_mcar_chi2", chi2, statistic=chi2, df=df, p_value=chdtrc(df, chi2), n=n, method=kind)


def littles_statistic(values: np.ndarray, mean: np.ndarray, cov: np.ndarray) -> tuple[float, int]:
    """Little's (1988) chi-square and its degrees of freedom.

    Parameters
    ----------
    values : (n, p), nan where not answered, no row without any answer
    mean, cov : (p,) and (p, p), of maximum likelihood

    Raises
    ------
    InputError
        If the covariances are singular: an item is made of others.
    """
    p = len(mean)
    if np.linalg.matrix_rank(cov, hermitian=True) < p:
        raise InputError("the covariances must not be singular", "an item is made of others", "Leave it out.")
    there = ~np.isnan(values)
    patterns, which = distinct_patterns(there)
    sums = np.zeros((len(patterns), p))
    np.add.at(sums, which, np.where(there, values - mean, 0.0))
    size = np.bincount(which)
    chi2 = 0.0
    for start in range(0, len(patterns), _CHUNK):
        part = slice(start, start + _CHUNK)
        inverses = partial_inverses(cov, patterns[part])
        chi2 += float((np.einsum("ki,kij,kj->k", sums[part], inverses, sums[part]) / size[part]).sum())
    return chi2, int(patterns.sum()) - p
