"""Measure customer experience and service satisfaction: the public verbs.

Each verb is loaded at its first use, so that `import cxresearch` stays quick.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOMES = {
    "open_study": "study.open",
    "check_study": "study.open",
    "Design": "core.design",
    "Moments": "core.moments",
    "bootstrap_moments": "core.moments",
    "start_report": "present.report",
    "check_quality": "methods.quality",
    "check_missing": "methods.missingness",
    "check_records": "methods.records",
    "check_sample": "methods.sample",
    "check_reliability": "methods.reliability",
    "check_items": "methods.description",
    "explore_factors": "methods.factors",
    "confirm_factors": "methods.confirmation",
    "check_validity": "methods.validity",
    "check_invariance": "methods.invariance",
    "weigh_experts": "methods.weighting",
    "regress_drivers": "methods.drivers",
    "compare_cases": "methods.cases",
    "compare_screening": "methods.screening",
    "plot_missing": "present.plots.quality",
    "plot_sample": "present.plots.quality",
    "plot_missing_patterns": "present.plots.patterns",
    "plot_flag_overlap": "present.plots.patterns",
    "plot_reliability": "present.plots.reliability",
    "plot_answers": "present.plots.reliability",
    "plot_scree": "present.plots.factors",
    "plot_loadings": "present.plots.factors",
    "plot_measurement_model": "present.plots.confirmation",
    "plot_factor_correlations": "present.plots.confirmation",
    "plot_residuals": "present.plots.confirmation",
    "plot_distinctness": "present.plots.confirmation",
    "plot_invariance": "present.plots.invariance",
    "plot_weights": "present.plots.weighting",
    "plot_global_weights": "present.plots.weighting",
    "plot_consistency": "present.plots.weighting",
    "plot_importance": "present.plots.drivers",
    "plot_importance_performance": "present.plots.drivers",
    "plot_groups": "present.plots.cases",
    "plot_pairs": "present.plots.cases",
}

__all__ = [
    "Design",
    "Moments",
    "bootstrap_moments",
    "check_invariance",
    "check_items",
    "check_missing",
    "check_quality",
    "check_records",
    "check_reliability",
    "check_sample",
    "check_study",
    "check_validity",
    "compare_cases",
    "compare_screening",
    "confirm_factors",
    "explore_factors",
    "open_study",
    "plot_answers",
    "plot_consistency",
    "plot_distinctness",
    "plot_factor_correlations",
    "plot_flag_overlap",
    "plot_global_weights",
    "plot_groups",
    "plot_importance",
    "plot_importance_performance",
    "plot_invariance",
    "plot_loadings",
    "plot_measurement_model",
    "plot_missing",
    "plot_missing_patterns",
    "plot_pairs",
    "plot_reliability",
    "plot_residuals",
    "plot_sample",
    "plot_scree",
    "plot_weights",
    "regress_drivers",
    "start_report",
    "weigh_experts",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'cxresearch' has no attribute '{name}'")
    return getattr(import_module(f"cxresearch.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
