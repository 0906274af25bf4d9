"""列对应: which title of the upper-level platform is which of our fields, in which order and with which codes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Route

from xinglin.base.errors import IncorrectError, XinglinError
from xinglin.engines.exchange import SheetColumn, SheetMapping
from xinglin.web.menu import Entry
from xinglin.web.page import Visit, page, redirect, render
from xinglin.web.pages.exchange_rows import local
from xinglin.web.pages.exchange_upper import RIGHT, kind_options

_EMPTY_LINES: Final = 3
_MOST_LINES: Final = 120
_SHOWN: Final = 24


async def show_columns(visit: Visit) -> Response:
    """Show the columns of a kind for editing."""
    mapping = await visit.platform.upper.mapping(visit.request.path_params["kind"])
    return await _page(visit, mapping, [_line(column) for column in mapping.columns], "")


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


def _line(column: SheetColumn) -> dict[str, str]:
    codes = " ".join(f"{ours}={theirs}" for ours, theirs in column.codes.items())
    return {"title": column.title, "field": column.field, "also": "、".join(column.also), "codes": codes}


async def _page(visit: Visit, mapping: SheetMapping, lines: Sequence[Mapping[str, str]], refusal: str, status: int = 200) -> Response:
    catalogue = visit.platform.upper.catalogue
    fields = [
        {
            "name": one.name,
            "label": visit.words.pick(one.zh, one.en),
            "codes": _short(" ".join(f"{code}={word}" for code, word in one.codes.items())),
        }
        for one in catalogue.fields_of(mapping.kind)
    ]
    context: dict[str, Any] = {
        "mapping": mapping,
        "lines": [*lines, *({"title": "", "field": "", "also": "", "codes": ""} for _ in range(_EMPTY_LINES))],
        "fields": fields,
        "kinds": await kind_options(visit),
        "changed_at": local(visit, mapping.changed_at),
        "verified": catalogue.verified or mapping.changed_at is not None,
        "refusal": refusal,
    }
    return render(visit, "exchange/upper_columns.html", context, status=status)


async def save_columns(visit: Visit) -> Response:
    """Keep the columns, or go back to what the product ships; a refusal stands beside what was typed."""
    kind, form = visit.request.path_params["kind"], await visit.form()
    typed = _typed({name: str(value) for name, value in form.items()})
    mapping = await visit.platform.upper.mapping(kind)
    try:
        columns = None if form.get("action") == "default" else [_column(line) for line in typed]
        await visit.platform.upper.save_mapping(visit.scope, kind, columns)
    except XinglinError as error:
        return await _page(visit, mapping, typed, visit.said(error), error.http_status)
    await visit.record("change", "upper_mapping", detail=kind)
    return redirect(visit, f"/exchange/upper/columns/{kind}")


def _typed(form: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the lines that are filled in, in the order of their numbers; a line keeps its place where its number is no number."""
    lines = []
    for place in range(_MOST_LINES):
        line = {name: form.get(f"{name}-{place}", "").strip() for name in ("title", "field", "also", "codes")}
        if line["title"] or line["field"]:
            number = form.get(f"order-{place}", "")
            lines.append((int(number) if number.isdecimal() and len(number) < 6 else place + 1, place, line))
    return [line for _, _, line in sorted(lines, key=lambda item: item[:2])]


def _column(line: Mapping[str, str]) -> SheetColumn:
    codes = {}
    for part in line["codes"].replace("，", " ").replace(",", " ").split():
        ours, sign, theirs = part.partition("=")
        if not sign or not ours or not theirs:
            raise IncorrectError("代码对应请写成 1=01 2=02", "write codes as 1=01 2=02", where=line["title"])
        codes[ours] = theirs
    also = tuple(title for title in re.split(r"[、;；]", line["also"]) if title.strip())
    return SheetColumn(line["title"], line["field"], also, codes)


ROUTES: Final[tuple[Route, ...]] = (
    page("/exchange/upper/columns/{kind}", show_columns, right=RIGHT),
    page("/exchange/upper/columns/{kind}", save_columns, right=RIGHT, methods=("POST",)),
)
MENU: Final[tuple[Entry, ...]] = ()
