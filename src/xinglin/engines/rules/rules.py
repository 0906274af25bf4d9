"""The door: definitions in force, what they say of one person and of everyone, and where they are written."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from xinglin.base.errors import IncorrectError, NotFoundError, UnavailableError
from xinglin.definitions import Catalogue, Definition, Edition, Question
from xinglin.engines.rules.closures import Closures, Frame
from xinglin.engines.rules.explain import Explanation, explain
from xinglin.engines.rules.measure_answers import EVERYTHING, Focus, GroupBy, Judgement, MeasureTable, MemberPage, MemberQuery
from xinglin.engines.rules.measures import Measures
from xinglin.engines.rules.ports import Rows
from xinglin.engines.rules.results import Drift, Result, ResultGround, Results
from xinglin.engines.rules.where import Where, where_of
from xinglin.engines.security import Scope


class Rules:
    """One per process. Without columns (a web process) the one-person path works; what concerns everyone asks the engine process."""

    def __init__(self, catalogue: Catalogue, ground: ResultGround) -> None:
        self._written = self._catalogue = catalogue
        self._usable: Mapping[tuple[str, str], Sequence[str]] = {}
        self._ground = ground
        self._results = Results(ground)
        self._closures = Closures()
        self._measures = Measures(ground.columns, ground.texts, ground.house) if ground.columns is not None else None

    @property
    def catalogue(self) -> Catalogue:
        """Return every definition, in all vintages, with the codes that stewards' maps lead into code sets."""
        return self._catalogue

    async def learn(self, usable: Mapping[tuple[str, str], Sequence[str]]) -> bool:
        """Count records under the codes a steward's maps lead to; returns whether that is new. usable: (system, code) → codes of ours."""
        if usable == self._usable:
            return False
        self._catalogue = await asyncio.to_thread(self._written.with_equivalents, usable)
        self._usable = dict(usable)
        return True

    def edition(self, as_of: date) -> Edition:
        """Return the definitions in force on a day."""
        return self._catalogue.edition(as_of)

    async def evaluate_person(self, person: int, as_of: date) -> list[Result]:
        """Reckon every programme and work list for one person from the record, save it, and return what applies."""
        definitions = self.edition(as_of).of_kind("programme", "worklist")
        return await self._results.of_person(definitions, (person, self._catalogue.reads), as_of)

    async def look_ahead(self, person: int) -> None:
        """Read a person's record and keep its rows: for who opens a form, so that saving it is quick."""
        await self.person_rows(person)

    async def evaluate_all(self, as_of: date) -> list[Drift]:
        """Reckon every programme and work list for everyone in the columns, save it, and return what changed.

        Raises: UnavailableError in a process without columns.
        """
        self._columns()
        return [await self._results.of_everyone(definition, as_of) for definition in self.edition(as_of).of_kind("programme", "worklist")]

    async def measure(
        self, scope: Scope, measure_id: str, as_of: date, group_by: GroupBy = "none", focus: Focus = EVERYTHING
    ) -> MeasureTable:
        """Return a measure for what the scope sees.  Raises: NotFoundError, IncorrectError (not a measure), UnavailableError."""
        return await self._columns().table(scope, self.measure_of(measure_id, as_of), as_of, group_by, focus)

    async def members(self, scope: Scope, measure_id: str, as_of: date, query: MemberQuery) -> MemberPage:
        """Return the people behind a number, with evidence.  Raises: as `measure`."""
        return await self._columns().members(scope, self.measure_of(measure_id, as_of), as_of, query)

    async def judgement(self, scope: Scope, measure_id: str, person: int, as_of: date, known_on: int) -> Judgement:
        """Return why a measure counted a person as it did, as known at a seq (see `Measures.judgement`).  Raises: as `measure`."""
        return await self._columns().judgement(scope, self.measure_of(measure_id, as_of), person, as_of, known_on)

    async def person_rows(self, person: int) -> Rows | None:
        """Return a person's rows as the record stands, None for who has no record any more."""
        try:
            return (await self._ground.record.person_rows(self._ground.house, person, self._catalogue.reads))[0]
        except NotFoundError:
            return None

    async def explain(self, scope: Scope, definition_id: str, person: int, as_of: date) -> Explanation:
        """Return why a definition says what it says of a person, from the record as it stands.  Raises: NotFoundError."""
        definition = self.edition(as_of).get(definition_id)
        rows, _ = await self._ground.record.person_rows(scope, person, self._catalogue.reads)
        return explain(definition, Question(rows, as_of), self._closures)

    def calculate(self, definition_id: str, values: Mapping[str, Any], as_of: date) -> Any:
        """Return what a calculator or classification makes of named values (missing ones may be left out).

        Raises: NotFoundError, IncorrectError for a name it does not take.
        """
        return calculate(self.edition(as_of).get(definition_id), values, as_of, self._closures)

    def where(self, name: str, as_of: date) -> Where:
        """Return file:line, clause, SQL and page of a definition, by id or name.  Raises: NotFoundError."""
        definition = self.edition(as_of).get(name)
        sql = "" if definition.inputs else self._ground.texts.sql(definition)
        return where_of(definition, sql)

    @property
    def measures(self) -> Measures:
        """Return what counts everyone.  Raises: UnavailableError in a process without columns."""
        return self._columns()

    def measure_of(self, measure_id: str, as_of: date) -> Definition:
        """Return a measure's definition in force on a day.  Raises: NotFoundError, IncorrectError for what is no measure."""
        definition = self.edition(as_of).get(measure_id)
        if definition.kind != "measure":
            raise IncorrectError(f"{measure_id} 不是指标", f"{measure_id} is a {definition.kind}, not a measure", where="measure")
        return definition

    def _columns(self) -> Measures:
        if self._measures is None:
            raise UnavailableError("本进程没有数据湖，请向引擎进程询问", "this process has no columns; ask the engine process")
        return self._measures


def calculate(definition: Definition, values: Mapping[str, Any], as_of: date, closures: Closures | None = None) -> Any:
    """Return what a calculator or classification makes of named values.  Raises: IncorrectError for a name it does not take."""
    for name in values:
        if name not in definition.inputs:
            known = ", ".join(definition.inputs)
            raise IncorrectError(f"{definition.id} 没有输入 {name}；可用：{known}", f"{definition.id} takes no {name}; write {known}")
    frame = Frame(Question({}, as_of, dict(values)))
    return (closures or Closures()).rule(definition.outputs["value"])(frame, None)
