"""The room of plans: documents, their indicators, tasks and projects, and all the district adds to them."""

from __future__ import annotations

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.engines.plans.books import Books
from xinglin.engines.plans.documents import Documents
from xinglin.engines.plans.figures import Figures
from xinglin.engines.plans.ground import PlanGround
from xinglin.engines.plans.imports import Import, Imports, NewImport, waits
from xinglin.engines.plans.model import (
    FINDING_STATES,
    LEVELS,
    STATUSES,
    TASK_STATES,
    Document,
    NewMilestone,
    NewPlan,
    NewValue,
    Plan,
    PlanIndicator,
    PlanRows,
    PlanValue,
    Row,
    TaskChange,
)
from xinglin.engines.plans.waiting import PlanReminders, PlanWaiting, answers_for
from xinglin.engines.plans.work import Work
from xinglin.engines.security import AuditSink


class Plans:
    """The door: `documents`, `books` (plans), `figures` (indicators and their numbers), `work` (tasks, projects, findings), `imports` (sheets sent for them)."""

    def __init__(self, database: Database, audit: AuditSink, clock: Clock) -> None:
        ground = PlanGround(database, audit, clock)
        self.documents = Documents(ground)
        self.books = Books(ground)
        self.figures = Figures(ground)
        self.work = Work(ground)
        self.imports = Imports(ground)


__all__ = [
    "FINDING_STATES",
    "LEVELS",
    "STATUSES",
    "TASK_STATES",
    "Books",
    "Document",
    "Documents",
    "Figures",
    "Import",
    "Imports",
    "NewImport",
    "NewMilestone",
    "NewPlan",
    "NewValue",
    "Plan",
    "PlanIndicator",
    "PlanReminders",
    "PlanRows",
    "PlanValue",
    "PlanWaiting",
    "Plans",
    "Row",
    "TaskChange",
    "Work",
    "answers_for",
    "waits",
]
