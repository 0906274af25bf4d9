"""Plans as the door gives and takes them. What was read from a document travels as plain data (`data`): the module knows its shape."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

LEVELS: Final = ("own", "city", "compared")
STATUSES: Final = ("draft", "approved", "superseded", "withdrawn")
TASK_STATES: Final = ("open", "doing", "done", "stuck")
FINDING_STATES: Final = ("open", "accepted", "corrected")
Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Document:
    """An uploaded document. content: its bytes, as they came."""

    document_no: int
    digest: str
    filename: str
    content: bytes
    uploaded_at: datetime
    uploaded_name: str


@dataclass(frozen=True, slots=True)
class NewPlan:
    """What is told of a plan when it is made. part: which plan of the document, from 0.  replaces: plan_no of the version before."""

    document_no: int
    part: int
    title: str
    area_name: str = ""
    level: str = "own"
    start_year: int | None = None
    end_year: int | None = None
    replaces: int | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan the district follows or compares itself with."""

    plan_no: int
    document_no: int
    part: int
    title: str
    area_name: str
    level: str
    start_year: int | None
    end_year: int | None
    status: str
    version: int
    replaces: int | None
    read_at: datetime
    created_name: str
    approved_at: datetime | None
    approved_name: str | None

    @property
    def is_open(self) -> bool:
        """Return whether it can still be changed."""
        return self.status in ("draft", "approved")


@dataclass(frozen=True, slots=True)
class Row:
    """A row as read. key: names it for good (the fingerprint of an indicator).  data: what was read."""

    key: str
    data: Data


@dataclass(frozen=True, slots=True)
class PlanRows:
    """Everything a reading gives for one plan, in the order of the document."""

    indicators: Sequence[Row]
    tasks: Sequence[Row] = ()
    projects: Sequence[Row] = ()
    findings: Sequence[Row] = ()


@dataclass(frozen=True, slots=True)
class PlanIndicator:
    """An indicator with what the district added to it.

    owner: who answers for it where the district named another.  measure: of the binding that holds, "" without one.
    path: year → value the district set.  values: what was entered, oldest first, each a `PlanValue`.
    reason: what people say of why it falls short and what is done, "" without it.
    """

    indicator_no: int
    plan_no: int
    fingerprint: str
    place: int
    data: Data
    owner: str
    measure: str = ""
    confirmed_name: str = ""
    confirmed_at: datetime | None = None
    path: Mapping[int, float] = field(default_factory=dict)
    values: Sequence[PlanValue] = ()
    reason: str = ""
    reason_name: str = ""
    reasoned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PlanValue:
    """A value from elsewhere. month: 1 to 12, 0 for the whole year.  state: entered, approved or refused."""

    value_no: int
    indicator_no: int
    year: int
    month: int
    value: float
    source: str
    state: str
    entered_at: datetime
    entered_name: str
    decided_at: datetime | None
    decided_name: str | None


@dataclass(frozen=True, slots=True)
class NewValue:
    """A value to enter."""

    indicator_no: int
    year: int
    month: int
    value: float
    source: str


@dataclass(frozen=True, slots=True)
class TaskChange:
    """What a person wrote about a task."""

    state: str
    unit: str
    due: date | None
    remind_on: date | None
    evidence: str


@dataclass(frozen=True, slots=True)
class NewMilestone:
    """A milestone of a project. done_on: None while it is not reached."""

    title: str
    due: date | None
    done_on: date | None = None
    note: str = ""
