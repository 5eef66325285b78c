"""What a study file says of tickets, service records, inspections, appraisal, customers and targets."""

from typing import Literal

from pydantic import Field

from cxresearch.study.fields import (
    Change,
    Column,
    Columns,
    Day,
    File,
    Name,
    Part,
    Scale,
    Steps,
    Text,
    TextList,
    Time,
)

Better = Literal["higher", "lower"]


class Stage(Part):
    """One step of handling a ticket and its limit."""

    name: Name = Field(description="Name of the step")
    at: Column = Field(description="Column of the time when the step was done")
    limit: Time = Field(description="Longest time allowed since the ticket was opened: 30min, 2h, 7d, 5wd")
    by: Text = Field("", description="Who is responsible")


class Tickets(Part):
    """Complaints or service requests, one row a ticket."""

    data: File = Field(description="Path, list of paths or glob")
    id: Column | None = Field(None, description="Number of the ticket")
    opened: Column | None = Field(None, description="When it was received")
    first_response: Column | None = Field(None, description="When it was first answered")
    handled: Column | None = Field(None, description="When it was dealt with inside")
    replied: Column | None = Field(None, description="When the customer was told")
    closed: Column | None = Field(None, description="When it was solved for the customer; blank = still open")
    as_of: Day | None = Field(None, description="Date of the extract; the last date seen if not given")
    escalated: Column | None = Field(None, description="When it was escalated")
    contacts: Column | None = Field(None, description="Number of contacts needed")
    category: Column | None = Field(None, description="Type of ticket")
    subcategory: Column | None = Field(None, description="Type below the category")
    cause: Column | None = Field(None, description="Why it happened, a list apart from the types")
    channel: Column | None = Field(None, description="How it came in")
    unit: Column | None = Field(None, description="Company, branch or team")
    region: Column | None = Field(None, description="Region")
    department: Column | None = Field(None, description="Department in charge")
    customer: Column | None = Field(None, description="Customer, for repeat complaints")
    valid: Column | None = Field(None, description="Whether it was justified: true/false")
    resolved: Column | None = Field(None, description="Whether it was resolved: true/false")
    satisfied: Column | None = Field(None, description="Satisfaction with the handling: true/false or a scale")
    remedy: Column | None = Field(None, description="What the customer was given")
    cost: Column | None = Field(None, description="Cost of handling")
    text: Column | None = Field(None, description="What the customer wrote")
    keywords: dict[Name, TextList] = Field({}, description="Category -> words in the text that tell of it")
    response_promise: Time | None = Field(None, description="Promised time to the first response")
    promise: Time | None = Field(None, description="Promised time to resolution")
    calendar: Text | None = Field(None, description="cn, or a csv of holidays; every day counts if not given")
    stages: list[Stage] = Field([], description="Limits by step")
    repeat_window: Time | None = Field(None, description="Time within which a customer's next ticket is a repeat")


INDICATOR_KINDS = ("hits", "sum", "events", "score", "count")


class ServiceIndicator(Part):
    """One indicator: a share (hits, of), mean (sum, of), rate (events, per), score or count."""

    hits: Column | None = Field(None, description="Column of successes, with `of`")
    sum: Column | None = Field(None, description="Column of sums, with `of`")
    events: Column | None = Field(None, description="Column of events, with `per`")
    score: Column | None = Field(None, description="Column of scores")
    count: Column | None = Field(None, description="Column of counts")
    of: Column | None = Field(None, description="Column of the number of cases behind hits, sum or score")
    per: Column | None = Field(None, description="Column of the exposure behind events")
    sum_squares: Column | None = Field(None, description="Column of sums of squares, for the interval of a mean")
    scale: Scale | None = Field(None, description="Lowest and highest score")
    target: float | None = Field(None, description="Value to reach")
    better: Better = Field("higher", description="Which direction is good")
    unit: Text = Field("", description="Unit of the value")

    @property
    def kind(self) -> str:
        """Of hits, sum, events, score and count, the one that is given."""
        return next((kind for kind in INDICATOR_KINDS if getattr(self, kind) is not None), "")


class Operations(Part):
    """Service records, one row a unit and period."""

    data: File = Field(description="Path, list of paths or glob")
    unit: Column | None = Field(None, description="Company, branch or team")
    period: Column | None = Field(None, description="Month, quarter or other period")
    by: Columns = Field([], description="Further breakdowns")
    exposure: Column | None = Field(None, description="What complaints per million are counted on")
    indicators: dict[Name, ServiceIndicator] = Field({}, description="Indicators and the columns they are made of")


class Observations(Part):
    """On-site inspections or ratings by several raters."""

    data: File = Field(description="Path, list of paths or glob")
    unit: Column | None = Field(None, description="What was inspected")
    period: Column | None = Field(None, description="When")
    rater: Column | None = Field(None, description="Who rated")
    items: Columns = Field(description="What was rated")
    scale: Scale | None = Field(None, description="Lowest and highest rating")


class AppraisalItem(Part):
    """Points for one indicator: by steps, or deducted."""

    indicator: Name = Field(description="Indicator of `operations` or of the indicator table")
    block: Text = Field("", description="Part of the scheme it belongs to")
    full: float = Field(gt=0, description="Full points")
    steps: Steps | None = Field(None, description="Pairs [threshold, points]")
    deduct: float | None = Field(None, gt=0, description="Points deducted for each `per`")
    per: float | None = Field(None, gt=0, description="By how much the indicator must miss")
    cap: float | None = Field(None, gt=0, description="Most points that can be deducted")


class Appraisal(Part):
    """An appraisal scheme: points by threshold."""

    period: Name | None = Field(None, description="Period that is appraised")
    items: list[AppraisalItem] = Field(min_length=1, description="Indicators and their points")


class Tier(Part):
    """A tier of customers; a customer belongs to the first tier whose condition holds."""

    label: Name = Field(description="Name of the tier")
    where: Text = Field(description="Condition on the columns of the customer table")


class Customers(Part):
    """Customers, one row each."""

    data: File = Field(description="Path, list of paths or glob")
    id: Column | None = Field(None, description="Number of the customer")
    value: Column | None = Field(None, description="What the customer spent")
    frequency: Column | None = Field(None, description="How often the customer bought")
    recency: Column | None = Field(None, description="Days since the last purchase")
    tenure: Column | None = Field(None, description="How long the customer has been one")
    satisfaction: Column | None = Field(None, description="Satisfaction of the customer")
    churned: Column | None = Field(None, description="Whether the customer left")
    repurchased: Column | None = Field(None, description="Whether the customer bought again")
    recommended: Column | None = Field(None, description="Whether the customer recommended us")
    active: Column | None = Field(None, description="Whether the customer is active")
    updated: Column | None = Field(None, description="When the record was last updated")
    tiers: list[Tier] = Field([], description="Tiers, the best first")


class Target(Part):
    """A value to reach, or a change to make."""

    indicator: Name = Field(description="What is to be reached")
    value: float | None = Field(None, description="Value to reach")
    change: Change | None = Field(None, description='Change from the baseline, such as "-30%"')
    baseline: Name | None = Field(None, description="Period that a change is counted from")
    due: Name | None = Field(None, description="Period or date by which")
