"""What a study file says of a survey, its measurement model, its cases and its experts."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from cxresearch.study.fields import (
    Codes,
    Column,
    Columns,
    Encoding,
    File,
    LabelledColumns,
    Name,
    NameList,
    Part,
    Scale,
    Text,
    TextList,
)

Share = Annotated[float, Field(ge=0, le=1)]


class SurveyPart(Part):
    """The survey: one row a respondent."""

    data: File = Field(
        [],
        description="Path, list of paths or glob: csv, tsv (also .gz), xlsx, sav, dta, parquet; a folder of parquet files; "
        "'file.duckdb::table'",
    )
    large: Literal["auto", "yes", "no"] = Field(
        "auto",
        description="Whether parquet files or a database table are left where they lie instead of being read into memory; auto: with "
        "more than 2,000,000 rows",
    )
    correlation: File | None = Field(
        None,
        description="In place of data: a published correlation matrix, a csv with a column of names, a column and a line an item, "
        "and lines `mean` and `sd` below where they are known",
    )
    n: int | None = Field(None, ge=2, description="Respondents behind the correlation matrix")
    sheet: Name | None = Field(None, description="Sheet of a workbook; the first if not given")
    encoding: Encoding | None = Field(None, description="Encoding of text files; found by itself if not given")
    where: Text | None = Field(None, description="Row filter: comparisons, and/or/not, in (...), `names in backticks`")
    id: Column | None = Field(None, description="Column that tells respondents apart")
    customer: Column | None = Field(None, description="Column that joins tickets.customer and customers.id")
    weight: Column | None = Field(None, description="Column of survey weights")
    cluster: Column | None = Field(None, description="Column of clusters; intervals respect them")
    strata: Column | None = Field(
        None,
        description="Column of strata; kept for later, not used in intervals yet: they are then a little too wide",
    )
    seconds: Column | None = Field(None, description="Column of the response time, in seconds")
    missing: Codes = Field([], description="Codes that mean 'no answer', in item, outcome and driver columns")
    missing_policy: Literal["drop", "em", "impute"] = Field(
        "drop",
        description="Rows that lack an answer: left out where it is needed; or counted by maximum likelihood (EM); or, in the "
        "regression of drivers, by multiple imputation",
    )
    duplicates: Literal["keep", "drop"] = Field("keep", description="What to do with repeated rows; counted either way")
    careless: Literal["keep", "drop"] = Field(
        "keep", description="What to do with careless answers; counted either way"
    )
    invited: File | None = Field(None, description="Table of invitations by group, for the response rate")
    population: File | None = Field(None, description="Table of known shares by group")
    comment: Column | None = Field(None, description="Column of open comments")


class Construct(Part):
    """One construct of the measurement model and the items that measure it."""

    label: Text = Field("", description="Name in the outputs; the key if not given")
    items: LabelledColumns = Field(
        description="Items with their wording, a list of items, or the short form rel1..rel5"
    )
    scale: Scale | None = Field(None, description="Lowest and highest answer; what lies outside counts as missing")
    reversed: NameList = Field([], description="Items worded the other way round")
    missing: Codes = Field([], description="Further codes that mean 'no answer', for this construct")
    stage: Literal["before", "during", "after"] | None = Field(None, description="Where on the customer's journey")
    codes: dict[Name, float] = Field({}, description="Worded answers and the numbers they stand for")


class Pair(Part):
    """Expectation against experience: the same questions asked twice, in the same order."""

    expectation: Columns = Field(description="Items asked for the expectation")
    perception: Columns = Field(description="Items asked for the experience")


class Narrative(Part):
    """A case told in words."""

    background: Text = Field("", description="What the case is, and where it stood")
    problems: Text = Field("", description="What was wrong")
    measures: Text = Field("", description="What was done")
    results: Text = Field("", description="What came of it")
    lessons: Text = Field("", description="What others can learn")


class Cases(Part):
    """Cases to compare: companies, regions, periods."""

    by: Column | None = Field(None, description="Column that tells the cases apart")
    period: Column | None = Field(None, description="Column of the period")
    before: TextList = Field([], description="Period or periods before the change")
    after: TextList = Field([], description="Period or periods after the change")
    treated: TextList = Field([], description="Cases where the change was made")
    benchmark: dict[Name, float] = Field({}, description="Construct or column and the value to compare it with")
    published: File | None = Field(
        None, description="Table of published cases: unit, period, measure, value, n, source"
    )
    narrative: dict[Name, Narrative] = Field({}, description="Cases told in words")


def _tree(hierarchy: dict[str, list[str]]) -> dict[str, list[str]]:
    parent: dict[str, str] = {}
    for above, children in hierarchy.items():
        for child in children:
            if child in parent:
                raise ValueError(f"'{child}' may stand under one parent, found '{parent[child]}' and '{above}'")
            parent[child] = above
    roots = [above for above in hierarchy if above not in parent]
    if len(roots) > 1:
        raise ValueError(f"one goal must stand at the top, found {', '.join(repr(root) for root in roots)}")
    reached, waiting = set(), roots[:1]
    while waiting:
        reached.add(waiting[0])
        waiting += hierarchy.get(waiting.pop(0), [])
    around = [above for above in hierarchy if above not in reached]
    if around:
        raise ValueError(f"a hierarchy may not run in a circle, found one through {', '.join(map(repr, around))}")
    return hierarchy


def _ordered(grades: dict[str, float]) -> dict[str, float]:
    rises = {low < high for low, high in pairwise(grades.values())}
    if len(grades) < 2 or len(rises) > 1 or len(set(grades.values())) < len(grades):
        raise ValueError("must be two or more grades whose scores all rise or all fall")
    return grades


class Experts(Part):
    """What experts said: paired comparisons and direct points."""

    judgements: File | None = Field(
        None,
        description="Table of AHP judgements: expert, parent, left, right, judgement (9 .. 1/9; blank = not asked)",
    )
    scores: File | None = Field(None, description="Table of points given directly: expert, criterion, points")
    hierarchy: Annotated[dict[Name, NameList], AfterValidator(_tree)] | None = Field(
        None, description="Parent -> children, from one goal at the top; the goal and the constructs if not given"
    )


class GivenWeights(Part):
    """Weights given from outside."""

    source: Text = Field("", description="Who decided them, and when")
    values: dict[Name, Share] = Field(description="Weights that sum to 1")


class Evaluation(Part):
    """The grades of the fuzzy evaluation."""

    grades: Annotated[dict[Name, float], AfterValidator(_ordered)] = Field(description="Grade -> score, in order")


class Privacy(Part):
    """What may be shown."""

    min_group: int = Field(1, ge=1, description="Groups smaller than this are not shown")
