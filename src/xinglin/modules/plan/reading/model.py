"""What a reading of a plan document is made of: frozen records, all positions 1-based lines of the text as read."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Base:
    """A value of a past year printed beside a target; `value` is None where a dash stands."""

    year: int | None
    value: float | None


@dataclass(frozen=True, slots=True)
class OtherValue:
    """A value of another year or another area: an intermediate year, the city's target beside the district's."""

    year: int | None
    scope: str | None
    value: float | None
    high: float | None
    op: str | None


@dataclass(frozen=True, slots=True)
class Indicator:
    """One indicator: name as printed without unit and serial number, its bases, its target, and where it stands.

    target_op: one of = <= >= < > range rise grow, or None where no target is printed.
    kind: binding (约束性), expected (预期性) or None.  origin: table or text.  period: "past" for a table of a past period.
    sure is False where the reader guessed; `reasons` then says in words what it guessed.  fingerprint names the printed row
    and survives a re-read; printed is the row's text.
    """

    name: str
    parent: str | None
    category: str | None
    unit: str | None
    base_year: int | None
    base_value: float | None
    bases: tuple[Base, ...]
    target_year: int | None
    target_op: str | None
    target_value: float | None
    target_high: float | None
    others: tuple[OtherValue, ...]
    kind: str | None
    owners: tuple[str, ...]
    origin: str
    from_line: int
    to_line: int
    sure: bool
    note: str
    period: str = "current"
    reasons: tuple[str, ...] = ()
    fingerprint: str = ""
    printed: str = ""
    plan: int = 0


@dataclass(frozen=True, slots=True)
class Task:
    """One task of the plan: its place in the hierarchy, its sentence, who answers for it.

    path: the headings above it, outermost first.  number: as printed, or "".  level: 1 for the outermost heading.
    """

    number: str
    title: str
    text: str
    level: int
    path: tuple[str, ...]
    owners: tuple[str, ...]
    box: str | None
    from_line: int
    to_line: int
    sure: bool = True
    note: str = ""
    plan: int = 0


@dataclass(frozen=True, slots=True)
class Project:
    """One building or equipment project: 名称, 单位, 性质, 开工, 床位; `more` keeps other printed columns by their header."""

    name: str
    unit: str | None
    nature: str | None
    start_year: int | None
    end_year: int | None
    beds: float | None
    convertible_beds: float | None
    investment_10k_yuan: float | None
    origin: str
    from_line: int
    to_line: int
    more: tuple[tuple[str, str], ...] = ()
    sure: bool = True
    note: str = ""
    copies: tuple[tuple[int, int], ...] = ()
    plan: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """An inconsistency found by a rule: shown, never hidden.  lines: where it stands; names: the indicators concerned."""

    rule: str
    severity: str
    zh: str
    en: str
    lines: tuple[int, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TextFact:
    """A number of the past in running text (2020年……达到83.11岁): for comparing with the table."""

    name: str
    value: float
    unit: str | None
    year: int | None
    line: int
    plan: int = 0


@dataclass(frozen=True, slots=True)
class Box:
    """A box text (专栏): its printed number and title, and its items as (number, title, text)."""

    number: str
    title: str
    items: tuple[tuple[str, str, str], ...]
    from_line: int
    to_line: int
    plan: int = 0


@dataclass(frozen=True, slots=True)
class Footnote:
    """A note under a table or text (注：…); mark is the sign it explains, or ""."""

    mark: str
    text: str
    from_line: int
    to_line: int


@dataclass(frozen=True, slots=True)
class NumberUse:
    """A number of the document and what became of it.

    used_by: indicator, project, or "" when nothing took it.  reason: why it was left (a year, a serial number, a past fact...).
    """

    text: str
    line: int
    used_by: str
    reason: str
    context: str


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which numbers of the document were used, and which were not and why."""

    total: int
    used: int
    unused: tuple[NumberUse, ...]


@dataclass(frozen=True, slots=True)
class PlanPart:
    """One plan inside a document: a gazette holds several.  start, horizon: its first and last year where they are known."""

    number: int
    title: str
    area: str
    horizon: int | None
    from_line: int
    to_line: int
    start: int | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Everything read from one document, with the text it was read from (`lines`; positions count from 1)."""

    filename: str
    format: str
    lines: tuple[str, ...]
    plans: tuple[PlanPart, ...]
    indicators: tuple[Indicator, ...]
    tasks: tuple[Task, ...]
    projects: tuple[Project, ...]
    boxes: tuple[Box, ...]
    footnotes: tuple[Footnote, ...]
    findings: tuple[Finding, ...]
    coverage: Coverage
    facts: tuple[TextFact, ...] = ()
    notices: tuple[str, ...] = field(default=())
