"""Sheets in for plans: read by headings, checked row by row, shown before anything is kept, taken, and taken back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from starlette.datastructures import UploadFile

from xinglin.base.errors import ConflictError, IncorrectError, XinglinError
from xinglin.engines.plans import Import, NewImport, Plan, waits
from xinglin.web.page import Visit
from xinglin.web.sheets import read_sheet_rows

MOST_BYTES: Final = 4 * 1024 * 1024
MOST_ROWS: Final = 5000
NEW: Final = "new"
"""Begins the second part of the key of a thing that has no number yet."""
_STEP: Final = 50
State = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """What a row of a sheet wants. key: of what it changes.  label: what people call it.  after: what it is to hold, None for nothing."""

    key: str
    label: str
    after: State | None


@dataclass(frozen=True, slots=True)
class Ground:
    """What a sheet is checked against. rows: number → row of the plan.  held: key → what it holds now."""

    rows: Mapping[int, Any]
    held: Mapping[str, State]


class Sheet(Protocol):
    """One kind of sheet. columns: Chinese heading → name, in order; needed: the names a sheet must have; back: its page, `{plan}` in it."""

    kind: str
    title: str
    columns: Mapping[str, str]
    needed: tuple[str, ...]
    back: str

    async def lines(self, visit: Visit, plan: Plan) -> Sequence[Mapping[str, object]]:
        """Return the rows to fill in, as they stand now."""
        ...

    async def ground(self, visit: Visit, plan: Plan) -> Ground:
        """Return what the plan holds now."""
        ...

    def typed(self, visit: Visit, ground: Ground, cells: Mapping[str, str]) -> Sequence[Change]:
        """Return what a row wants, nothing for a row left empty.  Raises: XinglinError saying what to write."""
        ...

    async def put(self, visit: Visit, change: Change, before: State | None) -> str:
        """Make a change and return the key of what was changed.  Raises: XinglinError."""
        ...

    async def undo(self, visit: Visit, change: Change, before: State | None) -> None:
        """Bring back what was before.  Raises: XinglinError."""
        ...

    def words(self, visit: Visit, name: str, value: Any) -> str:
        """Return a value of a state as people read it."""
        ...


async def read_rows(visit: Visit, upload: object, sheet: Sheet) -> list[tuple[int, dict[str, str]]]:
    """Return (line of the sheet, cells by name) of an uploaded workbook; the page's language will do for headings too.

    The headings stand in the first row that has one of them, so that an export with its watermark line can be filled in and sent back.
    Raises: IncorrectError for no file, no workbook, or headings that are missing.
    """
    content = await upload.read(MOST_BYTES + 1) if isinstance(upload, UploadFile) else b""
    if not content:
        raise IncorrectError("请选择一个 Excel 文件", "choose an Excel file", where="file")
    if len(content) > MOST_BYTES:
        raise IncorrectError(
            "文件超过 4 MB：请只保留要导入的表", "the file is over 4 MB: keep the sheet to import", where="file", status=413
        )
    rows = await asyncio.to_thread(read_sheet_rows, content)
    known = {**sheet.columns, **{visit.text(head): name for head, name in sheet.columns.items()}}
    first = next((place for place, (_, cells) in enumerate(rows) if sum(cell in known for cell in cells) > 1), None)
    wanted = [head for head, name in sheet.columns.items() if name in sheet.needed]
    if first is None:
        raise IncorrectError(
            f"第一行要有列名：{'、'.join(wanted)}",
            f"the first row needs the headings {', '.join(visit.text(head) for head in wanted)}",
            where="file",
        )
    places = {known[cell]: number for number, cell in enumerate(rows[first][1]) if cell in known}
    missing = [head for head in wanted if sheet.columns[head] not in places]
    if missing:
        raise IncorrectError(
            f"缺少列：{'、'.join(missing)}", f"the columns {', '.join(visit.text(head) for head in missing)} are missing", where="file"
        )
    found = [(line, {name: cells[place] for name, place in places.items()}) for line, cells in rows[first + 1 :]]
    if len(found) > MOST_ROWS:
        raise IncorrectError(
            f"一次最多 {MOST_ROWS} 行：请分几次传", f"at most {MOST_ROWS} rows at a time: send them in parts", where="file"
        )
    return found


async def check(visit: Visit, plan: Plan, sheet: Sheet, rows: Sequence[tuple[int, Mapping[str, str]]]) -> NewImport:
    """Return what the rows of a sheet would change, and the rows that cannot be taken with the reason; nothing is changed by this."""
    ground = await sheet.ground(visit, plan)
    changes: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    seen: dict[str, tuple[int, State | None]] = {}
    for line, cells in rows:
        filled = {name: str(cells.get(name, "")).strip() for name in sheet.columns.values()}
        try:
            wanted = [one for one in sheet.typed(visit, ground, filled) if ground.held.get(one.key) != one.after]
            twice = next((seen[one.key][0] for one in wanted if one.key in seen and seen[one.key][1] != one.after), None)
            if twice is not None:
                raise IncorrectError(f"与第 {twice} 行是同一项而内容不同", f"line {twice} is the same thing with other content")
        except XinglinError as error:
            refused.append({"line": line, "zh": error.zh, "en": error.en})
            continue
        for one in wanted:
            if one.key not in seen:
                seen[one.key] = (line, one.after)
                changes.append({"line": line, "key": one.key, "label": one.label, "before": ground.held.get(one.key), "after": one.after})
    return NewImport(plan.plan_no, sheet.kind, "", changes, refused)


async def take(visit: Visit, plan: Plan, sheet: Sheet, import_no: int) -> Import:
    """Make the changes of a kept sheet, each by itself: one that fails, or whose row changed since, is said and stops no other.

    A sheet that was cut off goes on with what has no outcome; what stands already as the sheet wants it was made before the cut.
    """
    imports = visit.platform.plans.imports
    async with imports.step(visit.scope, import_no, "taken") as kept:
        ground = await sheet.ground(visit, plan)
        is_cut_off = kept.state == "taken"
        for one in _stepwise([one for one in kept.changes if waits(one, "taken")]):
            if one is None:
                await imports.note(visit.scope, import_no, kept.changes)
                continue
            made = _made(ground, one) if is_cut_off else None
            try:
                if made is None and ground.held.get(one["key"]) != one["before"]:
                    raise ConflictError("核对之后被别人改过，这一行没有导入", "somebody changed it since: this row was not taken")
                one["key"] = made or await sheet.put(visit, _change(one), one["before"])
                one["outcome"] = {"done": True}
            except XinglinError as error:
                one["outcome"] = {"done": False, "zh": error.zh, "en": error.en}
    return await imports.get(visit.scope, import_no)


async def take_back(visit: Visit, plan: Plan, sheet: Sheet, import_no: int) -> Import:
    """Undo what a sheet changed; what was changed again since stays as it is and is said.

    What a cut left without an outcome is undone where it stands as the sheet wants it; undoing that was cut off goes on the same way.
    """
    imports = visit.platform.plans.imports
    async with imports.step(visit.scope, import_no, "undone") as kept:
        ground = await sheet.ground(visit, plan)
        for one in _stepwise([one for one in reversed(kept.changes) if waits(one, "undone")]):
            if one is None:
                await imports.note(visit.scope, import_no, kept.changes)
            else:
                await _undo(visit, sheet, ground, (one, kept.state == "undone"))
    return await imports.get(visit.scope, import_no)


async def _undo(visit: Visit, sheet: Sheet, ground: Ground, row: tuple[dict[str, Any], bool]) -> None:
    """Undo one change and write its outcome. row: (the change, whether undoing it may have been cut off before)."""
    one, is_cut_off = row
    made = _made(ground, one)
    was_taken = one.get("outcome") is not None
    if made is None and not was_taken:
        one["outcome"] = {"done": False, "zh": "导入中断，这一行没有导入", "en": "the import was cut off: this row was not taken"}
        return
    try:
        if made is None and not (is_cut_off and ground.held.get(one["key"]) == one["before"]):
            raise ConflictError("导入之后又改过，保持现在的内容", "it was changed again since: it stays as it is")
        if made is not None:
            one["key"] = made
            await sheet.undo(visit, _change(one), one["before"])
        one["outcome"] = {"done": True, "undone": True}
    except XinglinError as error:
        one["outcome"] = {"done": True, "undone": False, "zh": error.zh, "en": error.en}


def _change(one: Mapping[str, Any]) -> Change:
    return Change(one["key"], one["label"], one["after"])


def _stepwise(changes: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any] | None]:
    """Yield the changes, and None after every step and at the end: time to note what became of them."""
    for number, one in enumerate(changes, 1):
        yield one
        if number % _STEP == 0 or number == len(changes):
            yield None


def _made(ground: Ground, one: Mapping[str, Any]) -> str | None:
    """Return the key under which what a change wants stands now, None where it does not stand."""
    place, _, own = one["key"].partition(":")
    if own.startswith(NEW):
        return next((key for key, state in ground.held.items() if key.split(":")[0] == place and state == one["after"]), None)
    return one["key"] if ground.held.get(one["key"]) == one["after"] else None
