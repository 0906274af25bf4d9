"""慢病管理: who is managed, which visits wait to be completed, and a village's due residents as a grid (批量录入)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from starlette.responses import Response

from xinglin.base.errors import XinglinError
from xinglin.definitions import Form, Item, carry_over, parse_answers
from xinglin.engines.geo import subtree
from xinglin.engines.identity import PersonCard
from xinglin.engines.rules import Duty, WorklistQuery, Worklists
from xinglin.web.form_view import raw_of
from xinglin.web.i18n import capital, listed, mark
from xinglin.web.lists import Filter
from xinglin.web.menu import Entry
from xinglin.web.numbers import read_number
from xinglin.web.page import Visit, page, render
from xinglin.web.pages.desk import DESK, reading_of
from xinglin.web.pages.followup import clash, entries, is_same
from xinglin.web.pages.residents import area_options, card_row
from xinglin.web.pages.sitting import PROGRAMMES, form_of, sit
from xinglin.web.recording import Sending, submit

_ROWS: Final = 30
_CELLS: Final = (
    "visit_date",
    "way",
    "symptoms",
    "danger_signs",
    "systolic",
    "diastolic",
    "fasting_glucose",
    "weight",
    "heart_rate",
    "medication_adherence",
    "adverse_reaction",
)
_KEPT: Final = "same_as_before"
# What a line carries beside its cells: whether unusual values were seen, the last reading shown, the number of this sending.
_AROUND: Final = ("seen", "last", "sending", "known")


def _list_of(path: str, title: str, name: str, hint: str) -> Any:
    """Return a list of the desk's kind that shows one work list only."""
    filters = [item for item in DESK.filters if item.key != "list"]
    return replace(
        DESK,
        path=path,
        title=title,
        hint=hint,
        group="chronic",
        template="lists/page.html",
        context=None,
        filters=(*filters, Filter("list", "", "hidden", default=name)),
        fixed={"list": name},
    )


MANAGED: Final = _list_of("/chronic", mark("在管患者"), "managed", mark("高血压、2 型糖尿病在管患者，按下次应访日期"))
INCOMPLETE: Final = _list_of("/chronic/incomplete", mark("待补全"), "complete", mark("没有填完的随访和体检，补全并由责任人员确认后才计入"))


@dataclass(frozen=True, slots=True)
class Line:
    """One resident's line of the grid. cells: link id → text as typed.  said, odd: link id → what is wrong, or unusual.  done: it was saved."""

    card: PersonCard
    shown: Mapping[str, object]
    last: str
    cells: Mapping[str, str]
    said: Mapping[str, str] = field(default_factory=dict)
    odd: Mapping[str, str] = field(default_factory=dict)
    refusal: str = ""
    done: bool = False


def _items(form: Form) -> list[Item]:
    return [form.by_link[link_id] for link_id in _CELLS if link_id in form.by_link]


async def _due(visit: Visit, programme: str, area: str) -> tuple[list[Duty], dict[int, PersonCard], int]:
    """Return the duties that fit a grid, the residents, and how many more are due."""
    work, today = Worklists(visit.platform.database), visit.platform.clock.today()
    areas = subtree(int(area)) if len(area) == 12 and read_number(area) else None
    found: list[Duty] = []
    total = 0
    for name in ("overdue", "today"):
        query = WorklistQuery(name, f"{programme}-followup", areas=areas, not_seen_on=today, limit=_ROWS)
        duties, count, _ = await work.page(visit.scope, today, query)
        found, total = found + duties, total + count
    found = found[:_ROWS]
    return found, await visit.platform.residents.cards(visit.scope, [duty.person for duty in found]), total - len(found)


def _asked(visit: Visit) -> tuple[str, str]:
    query = visit.request.query_params
    return query.get("programme", "") if query.get("programme") in PROGRAMMES else "hypertension", query.get("area", "")


async def show_batch(visit: Visit) -> Response:
    """Show the grid of a village's due residents, today's date filled in."""
    programme, area = _asked(visit)
    known = str(await visit.platform.store.head())  # before anything is read: what is committed from now on was not seen
    duties, cards, more = await _due(visit, programme, area)
    await visit.record("list", "worklist", persons=sorted(cards))
    today = visit.platform.clock.today().isoformat()
    lines = [
        Line(
            cards[duty.person],
            card_row(visit, cards[duty.person]),
            reading_of(duty),
            {"visit_date": today, "sending": Sending(visit).number, "known": known},
        )
        for duty in duties
        if duty.person in cards
    ]
    return await _batch_page(visit, lines, more=more)


async def _batch_page(visit: Visit, lines: Sequence[Line], status: int = 200, *, more: int = 0) -> Response:
    programme, area = _asked(visit)
    form = form_of(visit, programme)
    context = {
        "lines": lines,
        "items": [
            (
                item,
                capital(item.words.say(visit.language)),
                " ".join(f"{choice.code}{choice.words.say(visit.language)}" for choice in item.choices),
            )
            for item in _items(form)
        ],
        "programmes": [(code, visit.text(label)) for code, label in PROGRAMMES.items()],
        "programme": programme,
        "areas": await area_options(visit),
        "area": area,
        "kept": _KEPT,
        "more": more,
        "saved": sum(line.done for line in lines),
        "wrong": sum(bool(line.said or line.refusal or line.odd) for line in lines),
    }
    return render(visit, "chronic/batch.html", context, status=status)


async def save_batch(visit: Visit) -> Response:
    """Save every line that is right; what is wrong stays in its cells, and a bad line never stops the good ones."""
    programme, _ = _asked(visit)
    form, sent = form_of(visit, programme), await visit.form()
    persons = [person for one in sent.getlist("person") if (person := read_number(str(one))) is not None][:_ROWS]
    cards = await visit.platform.residents.cards(visit.scope, persons)
    await visit.record("list", "worklist", persons=sorted(cards))
    lines = []
    for person in persons:
        if person in cards:
            lines.append(await _save_line(visit, (programme, form), cards[person], _cells(sent, form, person)))
    wrong = any(line.said or line.refusal or line.odd for line in lines)
    return await _batch_page(visit, lines, 422 if wrong else 200)


def _cells(sent: Any, form: Form, person: int) -> dict[str, str]:
    names = [*(item.link_id for item in _items(form)), _KEPT, *_AROUND]
    return {name: str(sent.get(f"{person}.{name}", "")).strip() for name in names}


async def _save_line(visit: Visit, of: tuple[str, Form], card: PersonCard, cells: dict[str, str]) -> Line:
    """Save one line and return it as it stands; a line in which only the date stands is left alone."""
    programme, form = of
    shown = card_row(visit, card)
    line = Line(card, shown, cells["last"], cells)
    if not any(value for name, value in cells.items() if name not in ("visit_date", *_AROUND, _KEPT)):
        return line
    sending = Sending(visit, cells["sending"])
    try:
        sitting = await sit(visit, card.person, programme)
        carried = raw_of(carry_over(form, sitting.earlier[0])) if cells[_KEPT] and sitting.earlier else {}
        typed = {name: value for name, value in cells.items() if name not in (_KEPT, *_AROUND)}
        today = visit.platform.clock.today()
        parsed = parse_answers(form, {**carried, "doctor": visit.scope.display_name, **typed}, sitting.context(today))
        kept = await sending.kept("QuestionnaireResponse")
        if kept is not None and is_same(sitting, kept, parsed):
            return replace(line, done=True)
        if refusal := clash(visit, sitting, cells["known"]):
            return replace(line, refusal=refusal, cells={**cells, "known": str(sitting.known), "sending": Sending(visit).number})
        said = {one.link_id: one.words.say(visit.language) for one in parsed.problems if one.kind != "unusual"}
        odd = {one.link_id: one.words.say(visit.language) for one in parsed.problems if one.kind == "unusual"}
        if said or odd and not cells["seen"]:
            return replace(
                line, said=said, odd=odd, refusal=listed((text for name, text in said.items() if name not in _CELLS), visit.language)
            )
        receipt = await submit(visit, "followup", await entries(visit, sitting, parsed, sending, is_complete=True))
        if receipt.problems:
            return replace(line, refusal=visit.words.pick(receipt.problems[0].zh, receipt.problems[0].en))
        await visit.platform.rules.evaluate_person(card.person, today)
        return replace(line, done=True)
    except XinglinError as error:
        return replace(line, refusal=visit.said(error))


ROUTES: Final = (
    page("/chronic/batch", show_batch, right="followup.write"),
    page("/chronic/batch", save_batch, right="followup.write", methods=("POST",)),
    *INCOMPLETE.routes(),
    *MANAGED.routes(),
)
MENU: Final = (MANAGED.entry(), INCOMPLETE.entry(), Entry("chronic", mark("批量录入"), "/chronic/batch", ("followup.write",)))
