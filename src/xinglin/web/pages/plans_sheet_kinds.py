"""The sheets of a plan's indicators: values from elsewhere, paths with owners, bindings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from xinglin.base.errors import IncorrectError
from xinglin.engines.plans import NewValue, Plan
from xinglin.web.i18n import mark
from xinglin.web.page import Visit
from xinglin.web.pages.plans_asking import living, number_of
from xinglin.web.pages.plans_indicator import bindable, new_value, offered, typed_path
from xinglin.web.pages.plans_sheets import Change, Ground, Sheet, State

_UNBIND: Final = mark("解除")


def whole(text: str) -> int | None:
    """Return a number as a sheet has it (12 or 12.0), None for anything else."""
    return number_of(text.removesuffix(".0"))


def row_meant(ground: Ground, text: str) -> Any:
    """Return the row a sheet's number names.  Raises: IncorrectError for a number of another plan."""
    row = ground.rows.get(whole(text) or 0)
    if row is None:
        raise IncorrectError(
            "编号不是这份规划的：请从下载的表填写", "the number is not of this plan: fill in the downloaded sheet", where="no"
        )
    return row


async def _indicators(visit: Visit, plan: Plan) -> Sequence[Any]:
    found: Sequence[Any] = await visit.platform.plans.figures.indicators(visit.scope, plan.plan_no)
    return found


def _key(*parts: object) -> str:
    return ":".join(str(part) for part in parts)


class Values:
    """Values of indicators that no measure computes: one a year or month, with its source; they wait for approval."""

    kind = "values"
    title = mark("录入的数值")
    back = "/plans/values?plan={plan}"
    needed: tuple[str, ...] = ("no", "year", "month", "value", "source")
    columns: Mapping[str, str] = {
        mark("编号"): "no", mark("指标名称"): "name", mark("单位"): "unit", mark("年"): "year", mark("月"): "month", mark("数值"): "value",
        mark("来源"): "source",
    }  # fmt: skip

    async def lines(self, visit: Visit, plan: Plan) -> Sequence[Mapping[str, object]]:
        """Return a line for last year of every indicator that no measure computes."""
        year = visit.platform.clock.today().year - 1
        wanted = [one for one in await _indicators(visit, plan) if not one.measure and living.is_counted(one.data)]
        return [{"no": one.indicator_no, "name": one.data["name"], "unit": one.data.get("unit"), "year": year} for one in wanted]

    async def ground(self, visit: Visit, plan: Plan) -> Ground:
        """Return the values that hold, of a time the one that waits before the approved one; one that was refused counts as none."""
        rows = await _indicators(visit, plan)
        held = {
            _key(one.indicator_no, value.year, value.month): {"value": value.value, "source": value.source}
            for one in rows
            for value in one.values
            if value.state != "refused"
        }
        return Ground({one.indicator_no: one for one in rows}, held)

    def typed(self, visit: Visit, ground: Ground, cells: Mapping[str, str]) -> Sequence[Change]:
        """Return the value of a row."""
        if not cells["value"]:
            return []
        one = row_meant(ground, cells["no"])
        new = new_value(one.indicator_no, dict(cells))
        when = f"{new.year}-{new.month:02d}" if new.month else str(new.year)
        after = {"value": new.value, "source": new.source.strip()[:200]}
        return [Change(_key(new.indicator_no, new.year, new.month), f"{one.data['name']} {when}", after)]

    async def put(self, visit: Visit, change: Change, before: State | None) -> str:
        """Enter the value."""
        number, year, month = (int(part) for part in change.key.split(":"))
        after = change.after or {}
        new = NewValue(number, year, month, float(after["value"]), str(after["source"]))
        await visit.platform.plans.figures.enter(visit.scope, [new])
        return change.key

    async def undo(self, visit: Visit, change: Change, before: State | None) -> None:
        """Let the value before hold again."""
        number, year, month = (int(part) for part in change.key.split(":"))
        await visit.platform.plans.figures.take_back(visit.scope, number, (year, month))

    def words(self, visit: Visit, name: str, value: Any) -> str:
        """Return a number with its groups of three."""
        return str(living.figure(value)) if name == "value" else str(value)


class Paths:
    """The years of an indicator's path the district may set, and who answers for it."""

    kind = "paths"
    title = mark("路径和责任单位")
    back = "/plans/indicators?plan={plan}"
    needed: tuple[str, ...] = ("no", "year", "value", "owner")
    columns: Mapping[str, str] = {
        mark("编号"): "no", mark("指标名称"): "name", mark("年"): "year", mark("路径值"): "value", mark("责任单位"): "owner",
    }  # fmt: skip

    async def lines(self, visit: Visit, plan: Plan) -> Sequence[Mapping[str, object]]:
        """Return a line for every indicator and year the district may set."""
        return [
            {"no": one.indicator_no, "name": one.data["name"], "year": year, "value": round(value, 4), "owner": one.owner}
            for one in await _indicators(visit, plan)
            if living.is_counted(one.data)
            for year, value, origin in living.yearly(living.path_of(one.data, one.path))
            if origin in ("line", "set")
        ]

    async def ground(self, visit: Visit, plan: Plan) -> Ground:
        """Return the years the district set and the owners it named."""
        rows = await _indicators(visit, plan)
        held: dict[str, State] = {
            _key("path", one.indicator_no, year): {"value": value} for one in rows for year, value in one.path.items()
        }
        held |= {_key("owner", one.indicator_no): {"owner": one.owner} for one in rows if one.owner}
        return Ground({one.indicator_no: one for one in rows}, held)

    def typed(self, visit: Visit, ground: Ground, cells: Mapping[str, str]) -> Sequence[Change]:
        """Return the year's value of a row, and its owner where it differs."""
        one = row_meant(ground, cells["no"])
        year = cells["year"].removesuffix(".0")
        value = typed_path({f"year-{year}": cells["value"]}, one)[int(year)]
        name = str(one.data["name"])
        changes = [Change(_key("path", one.indicator_no, int(year)), f"{name} {year}", None if value is None else {"value": value})]
        owner = cells["owner"][:200]
        if owner != one.owner:
            changes.append(Change(_key("owner", one.indicator_no), name, {"owner": owner} if owner else None))
        return changes

    async def put(self, visit: Visit, change: Change, before: State | None) -> str:
        """Set the year's value or the owner."""
        kind, number, *year = change.key.split(":")
        after, figures = change.after or {}, visit.platform.plans.figures
        if kind == "owner":
            await figures.set_owner(visit.scope, int(number), str(after.get("owner", "")))
        else:
            await figures.set_path(visit.scope, int(number), {int(year[0]): after.get("value")})
        return change.key

    async def undo(self, visit: Visit, change: Change, before: State | None) -> None:
        """Set what was before."""
        await self.put(visit, Change(change.key, change.label, before), change.after)

    def words(self, visit: Visit, name: str, value: Any) -> str:
        """Return a number with its groups of three."""
        return str(living.figure(value)) if name == "value" else str(value)


class Bindings:
    """Which measure computes which indicator; a row that is left empty changes nothing."""

    kind = "bindings"
    title = mark("口径绑定")
    back = "/plans/indicators?plan={plan}"
    needed: tuple[str, ...] = ("no", "measure")
    columns: Mapping[str, str] = {
        mark("编号"): "no", mark("指标名称"): "name", mark("单位"): "unit", mark("口径"): "measure", mark("口径名称"): "title",
        mark("候选口径"): "offered",
    }  # fmt: skip

    async def lines(self, visit: Visit, plan: Plan) -> Sequence[Mapping[str, object]]:
        """Return a line for every indicator the cockpit counts, with its measure or what may be meant."""
        shelf = offered(visit)
        titles = {one.id: one.words.say(visit.language) + one.variant_words.say(visit.language) for one in shelf}
        return [
            {
                "no": one.indicator_no, "name": one.data["name"], "unit": one.data.get("unit"), "measure": one.measure, "title": titles.get(one.measure, ""),
                "offered": "" if one.measure else "；".join(f"{each.measure} {each.words.say(visit.language)}" for each in living.proposals(one.data, shelf) if each.unit_fits),
            }
            for one in await _indicators(visit, plan)
            if living.is_counted(one.data)
        ]  # fmt: skip

    async def ground(self, visit: Visit, plan: Plan) -> Ground:
        """Return the bindings that hold."""
        rows = await _indicators(visit, plan)
        held = {str(one.indicator_no): {"measure": one.measure} for one in rows if one.measure}
        return Ground({one.indicator_no: one for one in rows}, held)

    def typed(self, visit: Visit, ground: Ground, cells: Mapping[str, str]) -> Sequence[Change]:
        """Return the binding of a row: a measure by its id or name, 解除 to end it."""
        if not cells["measure"]:
            return []
        one = row_meant(ground, cells["no"])
        key, name = str(one.indicator_no), str(one.data["name"])
        if cells["measure"] in (_UNBIND, visit.text(_UNBIND)):
            return [Change(key, name, None)]
        edition = visit.platform.rules.edition(visit.platform.clock.today())
        known = {word: each.id for each in edition.of_kind("measure") for word in (each.id, each.title.zh, each.title.en)}
        if cells["measure"] not in known:
            raise IncorrectError(
                "没有这个口径：写候选里的编码，或写“解除”",
                "there is no such measure: write a code of the candidates, or unbind",
                where="measure",
            )
        return [Change(key, name, {"measure": bindable(visit, one.data, known[cells["measure"]])})]

    async def put(self, visit: Visit, change: Change, before: State | None) -> str:
        """Bind the measure, or end the binding."""
        await visit.platform.plans.figures.bind(visit.scope, int(change.key), str((change.after or {}).get("measure", "")))
        return change.key

    async def undo(self, visit: Visit, change: Change, before: State | None) -> None:
        """Bind what was bound before."""
        await self.put(visit, Change(change.key, change.label, before), change.after)

    def words(self, visit: Visit, name: str, value: Any) -> str:
        """Return the name of a measure."""
        edition = visit.platform.rules.edition(visit.platform.clock.today())
        return next((one.title.say(visit.language) for one in edition.of_kind("measure") if one.id == value), str(value))


INDICATOR_SHEETS: Final[tuple[Sheet, ...]] = (Values(), Paths(), Bindings())
