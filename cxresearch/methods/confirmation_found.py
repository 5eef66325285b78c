"""A confirmatory analysis by every estimator that the answers allow, and which of them it is judged by."""

from dataclasses import dataclass

from cxresearch.core.correlation import Suitable, suitable_correlation
from cxresearch.core.polychoric import Polychorics
from cxresearch.methods.cfa_ordinal import OrdinalFit, fit_ordinal
from cxresearch.methods.cfa_sample import CfaSample
from cxresearch.methods.confirmation_rows import Estimated, Fitted


@dataclass(frozen=True, slots=True)
class Found:
    """The factor model of a study by maximum likelihood and by weighted least squares.

    Attributes
    ----------
    sample : what it was fitted to
    fitted : by maximum likelihood; None where that has no solution
    single : all items on one factor by maximum likelihood; None where that has no solution
    suitable : whether the answers may pass for numbers; None without rows, or where incomplete rows count: these speak for ML and MLR
    polychorics : of the items; None without rows, or where one has more than seven different answers
    ordinal : by weighted least squares; None without polychorics, or where it has no solution
    ml, mlr, wlsmv : what each estimator says, None where it says nothing
    """

    sample: CfaSample
    fitted: Fitted | None
    single: Fitted | None
    suitable: Suitable | None
    polychorics: Polychorics | None
    ordinal: OrdinalFit | None
    ml: Estimated | None
    mlr: Estimated | None
    wlsmv: Estimated | None

    @classmethod
    def of(cls, sample: CfaSample) -> "Found":
        """Everything that the answers allow."""
        model = sample.model()
        fitted = Fitted.of(sample, model, with_robust=True)
        single = Fitted.of(sample, sample.one_factor(), with_robust=False) if len(sample.moments.names) > 2 else None
        suitable, polychorics, ordinal = None, None, None
        near = sample.near
        if near.rows is not None and not sample.moments.n_incomplete:
            suitable = suitable_correlation(near.rows[list(model.items)], design=near.design)
        if (graded := near.graded(model)) is not None:
            polychorics, ordinal = fit_ordinal(graded, model, near.design)
        robust = Fitted.of(near, model, with_robust=True) if sample.is_large else fitted
        ml, mlr = fitted.by_ml() if fitted else None, robust.by_mlr() if robust else None
        wlsmv = Estimated.of_ordinal(ordinal) if ordinal else None
        return cls(sample, fitted, single, suitable, polychorics, ordinal, ml, mlr, wlsmv)

    @property
    def estimated(self) -> list[Estimated]:
        """Every estimator that has a solution."""
        return [each for each in (self.ml, self.mlr, self.wlsmv) if each is not None]

    @property
    def solutions(self) -> list[Estimated]:
        """The same, one of those that share their estimates."""
        return [each for each in (self.ml, self.wlsmv) if each is not None]

    @property
    def judged(self) -> Estimated | None:
        """What the model is judged by: WLSMV where answers may not pass for numbers, else MLR; the next best where it has no solution."""
        coarse = self.suitable is not None and self.suitable.kind == "polychoric"
        order = (self.wlsmv, self.mlr, self.ml) if coarse else (self.mlr, self.ml, self.wlsmv)
        return next((each for each in order if each is not None), None)
