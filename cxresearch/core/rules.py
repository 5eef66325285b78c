"""Thresholds, each with its value, its closed side and where it comes from.

A finding names the rule it was judged by, so that a reader can disagree with the rule rather than with the software.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np


@dataclass(frozen=True, slots=True)
class Rule:
    """One threshold.

    Attributes
    ----------
    key : its name in `RULES`
    value : the threshold
    side : "at_least" (met at the value and above), "above", "at_most" (met at the value and below) or "below"
    citation : author and year as a reader knows it
    source : the full reference
    """

    key: str
    value: float
    side: Literal["at_least", "above", "at_most", "below"]
    citation: str
    source: str

    def met(self, estimate: float | np.ndarray) -> np.ndarray:
        """Whether each estimate meets the threshold; False for nan."""
        compare = {"at_least": np.greater_equal, "above": np.greater, "at_most": np.less_equal, "below": np.less}
        return compare[self.side](estimate, self.value)


_CHEN = (
    "Chen, F. F. (2007). Sensitivity of goodness of fit indexes to lack of measurement invariance. Structural Equation Modeling "
    "14:464-504. doi:10.1080/10705510701301834, p. 501."
)
_EVERY = (
    Rule(
        "alpha_acceptable", 0.70, "at_least", "Nunnally & Bernstein 1994",
        "Nunnally, J. C., & Bernstein, I. H. (1994). Psychometric Theory (3rd ed.). McGraw-Hill, pp. 264-265.",
    ),
    Rule(
        "item_rest", 0.30, "at_least", "Nunnally & Bernstein 1994",
        "Nunnally, J. C., & Bernstein, I. H. (1994). Psychometric Theory (3rd ed.). McGraw-Hill, ch. 8.",
    ),
    Rule(
        "kmo_adequate", 0.60, "at_least", "Kaiser 1974",
        "Kaiser, H. F. (1974). An index of factorial simplicity. Psychometrika 39:31-36. doi:10.1007/BF02291575 (.60 and "
        "above: mediocre or better).",
    ),
    Rule(
        "msa_acceptable", 0.50, "at_least", "Kaiser 1974",
        "Kaiser, H. F. (1974). An index of factorial simplicity. Psychometrika 39:31-36. doi:10.1007/BF02291575.",
    ),
    Rule(
        "grades_as_numbers", 5, "at_least", "Rhemtulla et al. 2012",
        "Rhemtulla, M., Brosseau-Liard, P. E., & Savalei, V. (2012). When can categorical variables be treated as continuous? "
        "Psychological Methods 17:354-373. doi:10.1037/a0029315.",
    ),
    Rule(
        "skewness", 2.0, "at_most", "Curran et al. 1996",
        "Curran, P. J., West, S. G., & Finch, J. F. (1996). The robustness of test statistics to nonnormality and specification "
        "error in confirmatory factor analysis. Psychological Methods 1:16-29. doi:10.1037/1082-989X.1.1.16.",
    ),
    Rule(
        "loading_salient", 0.40, "at_least", "Stevens 2002",
        "Stevens, J. P. (2002). Applied Multivariate Statistics for the Social Sciences (4th ed.). Erlbaum, ch. 11.",
    ),
    Rule(
        "significance", 0.05, "below", "Fisher 1925",
        "Fisher, R. A. (1925). Statistical Methods for Research Workers. Oliver & Boyd.",
    ),
    Rule(
        "consistency_ratio", 0.10, "at_most", "Saaty 1980",
        "Saaty, T. L. (1980). The Analytic Hierarchy Process. McGraw-Hill.",
    ),
    Rule(
        "vif", 5.0, "below", "Hair et al. 2011",
        "Hair, J. F., Ringle, C. M., & Sarstedt, M. (2011). PLS-SEM: Indeed a silver bullet. Journal of Marketing Theory "
        "and Practice 19:139-152. doi:10.2753/MTP1069-6679190202.",
    ),
    Rule(
        "rows_per_driver", 10, "at_least", "Harrell 2015",
        "Harrell, F. E. (2015). Regression Modeling Strategies (2nd ed.). Springer, sec. 4.4. doi:10.1007/978-3-319-19425-7 "
        "(10 to 20 rows a predictor; the lower end).",
    ),
    Rule(
        "few_rows", 30, "at_least", "Johanson & Brooks 2010",
        "Johanson, G. A., & Brooks, G. P. (2010). Initial scale development: Sample size for pilot studies. Educational and "
        "Psychological Measurement 70:394-400. doi:10.1177/0013164409355692 (the least for a pilot of a scale; a practical limit "
        "here for all that is said of respondents).",
    ),
    Rule(
        "clusters", 20, "at_least", "Cameron & Miller 2015",
        "Cameron, A. C., & Miller, D. L. (2015). A practitioner's guide to cluster-robust inference. Journal of Human Resources "
        "50:317-372. doi:10.3368/jhr.50.2.317, p. 341.",
    ),
    Rule(
        "missing_share", 0.05, "at_most", "Schafer 1999",
        "Schafer, J. L. (1999). Multiple imputation: a primer. Statistical Methods in Medical Research 8:3-15. "
        "doi:10.1177/096228029900800102.",
    ),
    Rule(
        "speeder", 0.50, "below", "Greszki et al. 2015",
        "Greszki, R., Meyer, M., & Schoen, H. (2015). Exploring the effects of removing 'too fast' responses and respondents "
        "from web surveys. Public Opinion Quarterly 79:471-503. doi:10.1093/poq/nfu058 (their strictest: half the median).",
    ),
    Rule(
        "grid_items", 6, "at_least", "Johnson 2005",
        "Johnson, J. A. (2005). Ascertaining the validity of individual protocols from Web-based personality inventories. "
        "Journal of Research in Personality 39:103-129. doi:10.1016/j.jrp.2004.09.009 (equal answers in a row as a "
        "sign; that six are the fewest which tell anything is a practical limit).",
    ),
    Rule(
        "long_string", 0.50, "at_least", "Curran 2016",
        "Curran, P. G. (2016). Methods for the detection of carelessly invalid responses in survey data. Journal of Experimental "
        "Social Psychology 66:4-19. doi:10.1016/j.jesp.2015.07.006 (a string of half the items).",
    ),
    Rule(
        "lowest_share", 0.10, "at_most", "Dunn et al. 2018",
        "Dunn, A. M., Heggestad, E. D., Shanock, L. R., & Theilgard, N. (2018). Intra-individual response variability as an "
        "indicator of insufficient effort responding. Journal of Business and Psychology 33:105-121. "
        "doi:10.1007/s10869-016-9479-0 (low variability as a sign; no fixed cut is established: the lowest tenth of the sample is "
        "a practical limit).",
    ),
    Rule(
        "even_odd", 0.30, "below", "Johnson 2005",
        "Johnson, J. A. (2005). Ascertaining the validity of individual protocols from Web-based personality inventories. "
        "Journal of Research in Personality 39:103-129. doi:10.1016/j.jrp.2004.09.009 (the index, Jackson's personal reliability; "
        "the limit is a practical one).",
    ),
    Rule(
        "synonym_pair", 0.60, "above", "Meade & Craig 2012",
        "Meade, A. W., & Craig, S. B. (2012). Identifying careless responses in survey data. Psychological Methods 17:437-455. "
        "doi:10.1037/a0028085 (correlation that makes two items a pair).",
    ),
    Rule(
        "synonyms", 0.0, "below", "Curran 2016",
        "Curran, P. G. (2016). Methods for the detection of carelessly invalid responses in survey data. Journal of Experimental "
        "Social Psychology 66:4-19. doi:10.1016/j.jesp.2015.07.006 (a negative correlation: pairs that others answer alike are "
        "answered against each other).",
    ),
    Rule(
        "mahalanobis", 0.001, "below", "Tabachnick & Fidell 2013",
        "Tabachnick, B. G., & Fidell, L. S. (2013). Using Multivariate Statistics (6th ed.). Pearson, ch. 4 (p of the "
        "chi-square).",
    ),
    Rule(
        "agreeing_indices", 2, "at_least", "Meade & Craig 2012",
        "Meade, A. W., & Craig, S. B. (2012). Identifying careless responses in survey data. Psychological Methods 17:437-455. "
        "doi:10.1037/a0028085 (several indices, as each finds another kind of carelessness; two is the least that is several).",
    ),
    Rule(
        "effect_small", 0.20, "at_least", "Cohen 1988",
        "Cohen, J. (1988). Statistical Power Analysis for the Behavioral Sciences (2nd ed.). Erlbaum, p. 40.",
    ),
    Rule(
        "effect_medium", 0.50, "at_least", "Cohen 1988",
        "Cohen, J. (1988). Statistical Power Analysis for the Behavioral Sciences (2nd ed.). Erlbaum, p. 40.",
    ),
    Rule(
        "effect_large", 0.80, "at_least", "Cohen 1988",
        "Cohen, J. (1988). Statistical Power Analysis for the Behavioral Sciences (2nd ed.). Erlbaum, p. 40.",
    ),
    Rule(
        "cfi_good", 0.95, "at_least", "Hu & Bentler 1999",
        "Hu, L., & Bentler, P. M. (1999). Cutoff criteria for fit indexes in covariance structure analysis: Conventional criteria "
        "versus new alternatives. Structural Equation Modeling 6:1-55. doi:10.1080/10705519909540118.",
    ),
    Rule(
        "rmsea_good", 0.06, "at_most", "Hu & Bentler 1999",
        "Hu, L., & Bentler, P. M. (1999). Cutoff criteria for fit indexes in covariance structure analysis: Conventional criteria "
        "versus new alternatives. Structural Equation Modeling 6:1-55. doi:10.1080/10705519909540118.",
    ),
    Rule(
        "srmr_good", 0.08, "at_most", "Hu & Bentler 1999",
        "Hu, L., & Bentler, P. M. (1999). Cutoff criteria for fit indexes in covariance structure analysis: Conventional criteria "
        "versus new alternatives. Structural Equation Modeling 6:1-55. doi:10.1080/10705519909540118.",
    ),
    Rule(
        "residual_correlation", 0.10, "at_most", "Kline 2016",
        "Kline, R. B. (2016). Principles and Practice of Structural Equation Modeling (4th ed.). Guilford, ch. 12.",
    ),
    Rule(
        "standardized_loading", 0.50, "at_least", "Hair et al. 2019",
        "Hair, J. F., Black, W. C., Babin, B. J., & Anderson, R. E. (2019). Multivariate Data Analysis (8th ed.). Cengage, ch. 9.",
    ),
    Rule(
        "composite_reliability", 0.70, "at_least", "Hair et al. 2019",
        "Hair, J. F., Black, W. C., Babin, B. J., & Anderson, R. E. (2019). Multivariate Data Analysis (8th ed.). Cengage, ch. 9.",
    ),
    Rule(
        "ave", 0.50, "at_least", "Fornell & Larcker 1981",
        "Fornell, C., & Larcker, D. F. (1981). Evaluating structural equation models with unobservable variables and measurement "
        "error. Journal of Marketing Research 18:39-50. doi:10.1177/002224378101800104.",
    ),
    Rule(
        "htmt_strict", 0.85, "below", "Henseler et al. 2015",
        "Henseler, J., Ringle, C. M., & Sarstedt, M. (2015). A new criterion for assessing discriminant validity in variance-based "
        "structural equation modeling. Journal of the Academy of Marketing Science 43:115-135. doi:10.1007/s11747-014-0403-8 "
        "(.85 for constructs that differ in meaning).",
    ),
    Rule(
        "htmt_liberal", 0.90, "below", "Henseler et al. 2015",
        "Henseler, J., Ringle, C. M., & Sarstedt, M. (2015). A new criterion for assessing discriminant validity in variance-based "
        "structural equation modeling. Journal of the Academy of Marketing Science 43:115-135. doi:10.1007/s11747-014-0403-8 "
        "(.90 for constructs that are alike in meaning).",
    ),
    Rule(
        "i_squared_moderate", 0.50, "above", "Higgins et al. 2003",
        "Higgins, J. P. T., Thompson, S. G., Deeks, J. J., & Altman, D. G. (2003). Measuring inconsistency in meta-analyses. BMJ "
        "327:557-560. doi:10.1136/bmj.327.7414.557 (25, 50 and 75 %: low, moderate and high).",
    ),
    Rule(
        "studies_for_pooling", 5, "at_least", "Jackson & Turner 2017",
        "Jackson, D., & Turner, R. (2017). Power analysis for random-effects meta-analysis. Research Synthesis Methods 8:290-302. "
        "doi:10.1002/jrsm.1240.",
    ),
    Rule(
        "invariance_cfi", -0.01, "at_least", "Cheung & Rensvold 2002",
        "Cheung, G. W., & Rensvold, R. B. (2002). Evaluating goodness-of-fit indexes for testing measurement invariance. Structural "
        "Equation Modeling 9:233-255. doi:10.1207/S15328007SEM0902_5.",
    ),
    Rule("invariance_small_sample", 300, "at_most", "Chen 2007", _CHEN),
    Rule("invariance_cfi_large", -0.010, "above", "Chen 2007", _CHEN),
    Rule("invariance_rmsea_large", 0.015, "below", "Chen 2007", _CHEN),
    Rule("invariance_cfi_small", -0.005, "above", "Chen 2007", _CHEN),
    Rule("invariance_rmsea_small", 0.010, "below", "Chen 2007", _CHEN),
)  # fmt: skip
RULES = {rule.key: rule for rule in _EVERY}
