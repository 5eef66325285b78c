"""The study file as types. What one field alone can get wrong is checked here, what several can in `checks`."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from cxresearch.study.fields import Columns, File, LabelledColumns, Name, NameList, Names, Part, Text, shown
from cxresearch.study.parts import Cases, Construct, Evaluation, Experts, GivenWeights, Pair, Privacy, SurveyPart
from cxresearch.study.service_parts import Appraisal, Customers, Observations, Operations, Target, Tickets

GOAL = "goal"  # top of the hierarchy where the study file has none
LOYALTY = "loyalty"  # the construct that is no driver unless it is named one


def _slug(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9_-]+", value):
        raise ValueError(f"may hold only a-z, 0-9, _ and - (it names a folder), found {shown(value)}")
    if value == "summary":
        raise ValueError("may not be 'summary', which names the folder of the summary over studies")
    return value


class StudyFile(Part):
    """One study: what was asked, of whom, and where the answers lie. Paths are relative to the study file."""

    study: Annotated[Name, AfterValidator(_slug)] = Field(
        description="Short name of the study; names its outputs", json_schema_extra={"pattern": "^[a-z0-9_-]+$"}
    )
    title: Text = Field("", description="Title of the page; the short name if not given")
    aim: Text = Field("", description="What the study is to find; printed at the head of the page")
    language: Literal["en", "zh"] = Field("en", description="Language of the outputs")
    seed: int = Field(0, ge=0, description="Seed of everything random")

    survey: SurveyPart | None = Field(None, description="The survey, one row a respondent")
    constructs: dict[Name, Construct] = Field({}, description="The measurement model, in the order of the outputs")
    outcome: Name | None = Field(None, description="A construct or column to explain")
    drivers: NameList = Field(
        [], description="Constructs or columns that may explain it; by default every construct but it and loyalty"
    )
    recommend: Annotated[Name, Names("columns")] | None = Field(
        None, description="Column of 0-10 answers for the Net Promoter Score"
    )
    choices: Annotated[dict[Name, Columns], Names("columns")] = Field(
        {}, description="Questions with several answers and their columns"
    )
    pairs: dict[Name, Pair] = Field({}, description="Expectation against experience")
    model: dict[Name, NameList] = Field({}, description="Path model: from -> to")
    groups: LabelledColumns = Field({}, description="Columns to compare and their labels")
    cases: Cases | None = Field(None, description="Cases to compare")

    experts: Experts | None = Field(None, description="AHP judgements and direct points of experts")
    weights: GivenWeights | None = Field(None, description="Weights given from outside")
    evaluation: Evaluation | None = Field(None, description="Grades of the fuzzy evaluation")
    indicators: File | None = Field(None, description="The indicator system as a table")

    tickets: Tickets | None = Field(None, description="Complaints or service requests, one row a ticket")
    operations: Operations | None = Field(None, description="Service records, one row a unit and period")
    observations: Observations | None = Field(None, description="Inspections or ratings by several raters")
    appraisal: Appraisal | None = Field(None, description="Appraisal scheme: points by threshold")
    customers: Customers | None = Field(None, description="Customers, one row each")
    targets: list[Target] = Field([], description="Values to reach and changes to make")
    actions: File | None = Field(None, description="Improvement plan as a table")
    mechanisms: File | None = Field(None, description="Comparison of complaint mechanisms as a table")
    privacy: Privacy = Field(default_factory=lambda: Privacy.model_validate({}), description="What may be shown")
    notebooks: dict[Name, dict[str, Any]] = Field(
        {}, description="Notebook -> its parameters, handed over as they stand"
    )

    @property
    def scales(self) -> dict[str, list[str]]:
        """Construct -> its items."""
        return {name: list(construct.items) for name, construct in self.constructs.items()}

    @property
    def drivers_used(self) -> list[str]:
        """The drivers named, or every construct but the outcome (or the one the outcome is an item of) and loyalty."""
        if self.drivers or self.outcome is None:
            return list(self.drivers)
        own = {self.outcome, LOYALTY} | {name for name, items in self.scales.items() if self.outcome in items}
        return [name for name in self.constructs if name not in own]

    @property
    def hierarchy(self) -> dict[str, list[str]]:
        """Parent -> children; the goal and the constructs where the study file has none."""
        if self.experts is not None and self.experts.hierarchy:
            return self.experts.hierarchy
        return {GOAL: list(self.constructs)} if self.constructs else {}


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the study file, for editors that complete and check YAML.

    >>> json_schema()["required"]
    ['study']
    """
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **StudyFile.model_json_schema()}
