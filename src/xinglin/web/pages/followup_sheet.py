"""随访服务记录表: the form's questions as rows under their headings, the last four visits as columns, to print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
from starlette.responses import Response

from xinglin.definitions import Form, Item
from xinglin.web.form_view import answers_of, choices_of, text_of
from xinglin.web.i18n import capital
from xinglin.web.page import Visit, page, render
from xinglin.web.pages.residents import card_row
from xinglin.web.pages.sitting import KINDS, form_of

_COLUMNS: Final = 4
_MEDICINES: Final = 3


async def show_sheet(visit: Visit) -> Response:
    """Show 随访服务记录表: the form's questions as rows, the last four visits as columns."""
    path = visit.request.path_params
    form, card = form_of(visit, path["programme"]), await visit.platform.residents.card(visit.scope, path["person"])
    stored = await visit.platform.store.person_bodies(visit.scope, card.person, ("QuestionnaireResponse",))
    bodies = [orjson.loads(one.body) for one in stored]
    answers = [
        answers_of(form, body)
        for body in bodies
        if str(body.get("questionnaire", "")).startswith(f"urn:xinglin:form:{form.id}|") and body.get("status") in ("completed", "amended")
    ]
    answers.sort(key=lambda one: str(one.get(KINDS[path["programme"]][2], "")), reverse=True)
    await visit.record("print", "followup", persons=[card.person], detail=form.id)
    last = list(reversed(answers[:_COLUMNS]))
    return render(
        visit,
        "followup/sheet.html",
        {
            "card": card,
            "row": card_row(visit, card),
            "form": form,
            "groups": _Sheet(form, last, visit).groups(),
            "columns": _COLUMNS,
            "suffix": (card.record_number or "")[-8:],
        },
    )


@dataclass(frozen=True, slots=True)
class Line:
    """One printed row: its label, unit, and one text a visit."""

    label: str
    unit: str
    values: Sequence[str]


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under one heading; title "" for rows that stand by themselves."""

    title: str
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A form with visits, oldest first, to print."""

    form: Form
    visits: Sequence[Mapping[str, Any]]
    visit: Visit

    def groups(self) -> list[Group]:
        """Return the rows in print order, those of a group under its heading."""
        held = {link_id: group for group in self.form.print_groups for row in group.rows for link_id in row}
        found, given = [], set()
        for item in self.form.print_items:
            group = held.get(item.link_id)
            if group is None:
                found.append(Group("", self._lines((item.link_id,))))
            elif group.words.zh not in given:
                given.add(group.words.zh)
                lines = [line for row in group.rows for line in self._lines(row)]
                found.append(Group(capital(group.words.say(self.visit.language)), lines))
        return found

    def _lines(self, row: Sequence[str]) -> list[Line]:
        items = [self.form.item(link_id) for link_id in row]
        if items[0].type == "group":
            return self._medicines(items[0])
        words = [item.words.say(self.visit.language) for item in items]
        if len(items) > 1 and items[1].link_id == f"{items[0].link_id}_target":
            words[1] = self.visit.text("目标")
        values = ["/".join(_shown(item, one.get(item.link_id), self.visit.language) for item in items) for one in self.visits]
        return [Line(capital("/".join(words)), items[0].unit, [value.strip("/") and value for value in values])]

    def _medicines(self, item: Item) -> list[Line]:
        """Return a row of names and a row of doses for each medicine; at least as many as the paper form has."""
        most = max(_MEDICINES, *(len(one.get(item.link_id) or ()) for one in self.visits), 0)
        name = item.items[0]
        found = []
        for number in range(most):
            rows = [(one.get(item.link_id) or ())[number : number + 1] for one in self.visits]
            label = f"{name.words.say(self.visit.language)} {number + 1}"
            found.append(Line(capital(label), "", ["".join(text_of(one.get(name.link_id)) for one in row) for row in rows]))
            found.append(Line(self.visit.text("用法用量"), "", ["".join(self._dose(one) for one in row) for row in rows]))
        return found

    def _dose(self, row: Mapping[str, Any]) -> str:
        """Return how often and how much of a medicine, in words."""
        text, said = self.visit.text, []
        if row.get("drug_times_per_day") is not None:
            said.append(text("每日{times}次", times=text_of(row["drug_times_per_day"])))
        if row.get("drug_dose") is not None:
            said.append(text("每次{dose}", dose=f"{text_of(row['drug_dose'])}{row.get('drug_dose_unit', '')}"))
        return " ".join(said)


def _shown(item: Item, value: Any, language: str) -> str:
    """Return an answer as it is printed: digits with their words, groups line by line."""
    if value in (None, (), ""):
        return ""
    if item.type in ("code", "codes"):
        codes = value if isinstance(value, tuple) else (value,)
        return ("; " if language == "en" else "　").join(
            f"{code}{' ' if language == 'en' else ''}{choice.words.say(language)}" if (choice := item.choice(code)) else code
            for code in codes
        )
    if item.type == "boolean":
        return next(choice.label for choice in choices_of(item, language) if choice.code == text_of(value))
    return text_of(value)


ROUTES: Final = (page("/residents/{person:int}/sheet/{programme}", show_sheet, right="print"),)
MENU: Final = ()
