"""One person's record in few words: `A(born=...).enrolled(...).visited(...)`, and what the shipped definitions say of it."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Self

import xinglin.modules.chronic_disease
from xinglin.definitions import LAKE, Definition, Edition, Question, load, reference
from xinglin.engines.rules import Explanation, explain

TODAY = date(2026, 11, 21)


@cache
def edition() -> Edition:
    """Return what is in force on the day of these stories."""
    return load([Path(xinglin.modules.chronic_disease.__file__).parent / "definitions"]).edition(TODAY)


class A:
    """A person and what happened to them."""

    def __init__(self, born: date = date(1968, 3, 1), *, died: date | None = None) -> None:
        self.rows: dict[str, list[dict[str, Any]]] = {name: [] for name in LAKE}
        self._rid = 1
        self._add("patient", birth_date=born, death_date=died, residence_status="resident", sex="1", record_opened_on=date(2020, 1, 1))

    def _add(self, table: str, **values: Any) -> int:
        self._rid += 1
        row = dict.fromkeys(LAKE[table].columns) | {"rid": self._rid, "seq": self._rid, "patient": 2} | values
        self.rows[table].append(row)
        return self._rid

    def enrolled(self, on: date, *, programme: str = "hypertension", **more: Any) -> Self:
        """Enrol on a day; status, end_date and exit_reason may be given."""
        self._add("episode", programme=programme, start_date=on, manager=77, **({"status": "active"} | more))
        return self

    def left(self, on: date, reason: str) -> Self:
        """End the latest enrolment."""
        self.rows["episode"][-1] |= {"status": "finished", "end_date": on, "exit_reason": reason}
        return self

    def visited(self, on: date, pressure: tuple[float | None, float | None] | None = None, *, way: str = "1", **more: Any) -> Self:
        """Visit; pressure in mmHg; glucose in mmol/L; outcome, next_visit and adverse as on the form; status of the Encounter."""
        kind = more.get("kind", "followup-diabetes2" if "glucose" in more else "followup-hypertension")
        visit = self._add(
            "encounter", kind=kind, status=more.get("status", "finished"), start_date=on, way=way, entered_on=more.get("entered_on")
        )
        if pressure is not None:
            self._add("blood_pressure", encounter=visit, status="final", taken_on=on, systolic_mmhg=pressure[0], diastolic_mmhg=pressure[1])
        if more.get("glucose") is not None:
            self._add(
                "measurement",
                encounter=visit,
                status="final",
                taken_on=on,
                code="14771-0",
                value=more["glucose"],
                unit=more.get("unit", "mmol/L"),
            )
        for link_id, code in (
            ("outcome_class", more.get("outcome")),
            ("adverse_reaction", more.get("adverse")),
            ("danger_signs", more.get("danger")),
        ):
            if code is not None:
                self._add("answer", encounter=visit, link_id=link_id, code=code, authored_on=on)
        if more.get("next_visit") is not None:
            self._add("answer", encounter=visit, link_id="next_visit_date", date=more["next_visit"], authored_on=on)
        return self

    def examined(self, on: date, *, complete: bool = True, status: str = "finished") -> Self:
        """Have a health examination."""
        visit = self._add("encounter", kind="health-examination", status=status, start_date=on)
        self._add("answer", encounter=visit, link_id="complete", truth=complete, authored_on=on)
        return self

    def row(self, table: str, **values: Any) -> Self:
        """Add a row of any table."""
        self._add(table, **values)
        return self

    def changed(self, table: str, **values: Any) -> Self:
        """Change the latest row of a table."""
        self.rows[table][-1] |= values
        return self

    def says(self, definition_id: str, as_of: date = TODAY) -> dict[str, Any]:
        """Return every output of a definition."""
        definition: Definition = edition().get(definition_id)
        return {name: reference(node, Question(self.rows, as_of)) for name, node in definition.outputs.items()}

    def counted(self, definition_id: str, as_of: date = TODAY) -> tuple[Any, Any, Any]:
        """Return numerator, denominator and reason of exclusion of a measure."""
        told = self.says(definition_id, as_of)
        return told["numerator"], told["denominator"], told["reason"]

    def explained(self, definition_id: str, as_of: date = TODAY) -> Explanation:
        """Return why."""
        return explain(edition().get(definition_id), Question(self.rows, as_of))
