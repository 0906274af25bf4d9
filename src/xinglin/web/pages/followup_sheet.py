"""随访服务记录表: the form's questions as rows, the last four visits as columns, to print."""

from __future__ import annotations

from typing import Any, Final

import orjson
from starlette.responses import Response

from xinglin.definitions import Item
from xinglin.web.form_view import answers_of, text_of
from xinglin.web.i18n import capital
from xinglin.web.page import Visit, page, render
from xinglin.web.pages.residents import card_row
from xinglin.web.pages.sitting import KINDS, form_of


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
    last = list(reversed(answers[:4]))
    rows = [
        (capital(item.words.say(visit.language)), item.unit, [_shown(item, one.get(item.link_id), visit.language) for one in last])
        for item in form.print_items
    ]
    return render(
        visit,
        "followup/sheet.html",
        {"card": card, "row": card_row(visit, card), "form": form, "rows": rows, "columns": 4, "suffix": (card.record_number or "")[-8:]},
    )


def _shown(item: Item, value: Any, language: str) -> str:
    """Return an answer as it is printed: digits with their words, groups line by line."""
    if value in (None, (), ""):
        return ""
    if item.type in ("code", "codes"):
        codes = value if isinstance(value, tuple) else (value,)
        return "　".join(f"{code}{choice.words.say(language)}" if (choice := item.choice(code)) else code for code in codes)
    if item.type == "group":
        return "\n".join(
            " ".join(text_of(row[inner.link_id]) + inner.unit for inner in item.items if inner.link_id in row) for row in value
        )
    return text_of(value)


ROUTES: Final = (page("/residents/{person:int}/sheet/{programme}", show_sheet, right="print"),)
MENU: Final = ()
