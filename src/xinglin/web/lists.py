"""Lists: one definition gives the search form, the sorted and paged table, the empty state, the Excel export and the print.

A list page states its columns and filters and one function that fetches rows; everything else is the same on every list. The
address carries the whole state (filters, sort, page), so it can be kept, sent and gone back to.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from xinglin.web.exports import Heading, export_answer
from xinglin.web.menu import Entry
from xinglin.web.numbers import read_number
from xinglin.web.page import Visit, page, render

PAGE_SIZES: Final = (20, 50, 100)
PRINT_ROWS: Final = 2000
_EXPORT_BATCH: Final = 500


@dataclass(frozen=True, slots=True)
class Column:
    """One column. key: key of a row.  label: Chinese message id.

    kind: text, number, date, percent, tag, spark, actions.  tag: the value is a `Tag`; spark: numbers, oldest first.  path: name of the row's key that holds an address.
    sortable: `fetch` can sort by it.  is_main: the row's own link, opened by Enter.  hot: the letter that opens this link while the row has the focus.  exported: stands in Excel and print too.
    """

    key: str
    label: str
    kind: str = "text"
    path: str = ""
    sortable: bool = False
    is_main: bool = False
    exported: bool = True
    hot: str = ""


@dataclass(frozen=True, slots=True)
class Tag:
    """A short word with a colour. text: already in the page's language.  kind: "", good, bad, warn, brand, apricot."""

    text: str
    kind: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Action:
    """A small button at the end of a row. key: the letter that presses it while the row has the focus."""

    label: str
    path: str
    icon: str = ""
    key: str = ""


Options = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Filter:
    """One field of the search form. kind: text, choice, date.  options: (value, Chinese message id) pairs, or what gives them for a visit.

    default: the choice that holds until another is made; such a field offers no 全部.
    """

    key: str
    label: str
    kind: str = "text"
    options: Options | Callable[[Visit], Awaitable[Options]] = ()
    hint: str = ""
    default: str = ""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of a list. filters: only those filled in.  page: from 1."""

    filters: Mapping[str, str]
    sort: str
    descending: bool
    page: int
    size: int

    @property
    def offset(self) -> int:
        """Return the number of rows before this page."""
        return (self.page - 1) * self.size

    def get(self, key: str) -> str:
        """Return a filter's value, "" when it is not set."""
        return self.filters.get(key, "")


@dataclass(frozen=True, slots=True)
class Rows:
    """One page of rows. total: exact, or None where counting is not offered; then `more` says whether a next page exists.

    people: of how many residents the rows are, where one may stand in several.  waits: why there may be more than this, a Chinese message id; an empty list says it instead of that nothing is there.
    """

    items: Sequence[Mapping[str, object]]
    total: int | None
    more: bool = False
    as_of: str = ""
    people: int | None = None
    waits: str = ""


Fetch = Callable[[Visit, Query], Awaitable[Rows]]


@dataclass(frozen=True, slots=True)
class ListPage:
    """A list. title, hint, empty_*: Chinese message ids.  empty_hint says what to do next.

    add: (right, address, label) of 新增, or None.  group: the menu group it stands in, "" for none.  rights: any one opens it.
    is_plain: holds nothing of a resident, so that who opens it may export and print it too (the officers of the system).
    template: a page of its own that extends `lists/page.html`.  context: further values for it.
    """

    path: str
    title: str
    columns: Sequence[Column]
    fetch: Fetch
    rights: tuple[str, ...]
    filters: Sequence[Filter] = ()
    group: str = ""
    hint: str = ""
    empty_title: str = "没有符合条件的记录"
    empty_hint: str = "放宽查询条件，或按“重置”后再查"
    add: tuple[str, str, str] | None = None
    sort: str = ""
    descending: bool = False
    template: str = "lists/page.html"
    context: Callable[[Visit, Query], Awaitable[Mapping[str, object]]] | None = None
    fixed: Mapping[str, str] = field(default_factory=dict)
    is_plain: bool = False

    def routes(self) -> tuple[Route, ...]:
        """Return the routes of the list, its Excel export and its print."""

        async def show(visit: Visit) -> Response:
            return await show_list(visit, self)

        async def export(visit: Visit) -> Response:
            self.check(visit, "export")
            return await export_list(visit, self)

        async def show_print(visit: Visit) -> Response:
            self.check(visit, "print")
            return await print_list(visit, self)

        return (
            page(self.path, show, right=self.rights),
            page(f"{self.path}/export.xlsx", export, right=self.rights),
            page(f"{self.path}/print", show_print, right=self.rights),
        )

    def may(self, visit: Visit, right: str) -> bool:
        """Return whether the visitor may take a copy: right is export or print."""
        return self.is_plain or visit.allows(right)

    def check(self, visit: Visit, right: str) -> None:
        """Do nothing where the visitor may take a copy.  Raises: ForbiddenError."""
        if not self.is_plain:
            visit.scope.require(right)

    def entry(self) -> Entry:
        """Return the list's line in the menu."""
        return Entry(self.group, self.title, self.path, self.rights)

    @property
    def exported(self) -> Sequence[Column]:
        """Return the columns of Excel and print."""
        return [column for column in self.columns if column.exported and column.kind != "actions"]

    def query(self, visit: Visit) -> Query:
        """Return what the address asks for; what it cannot mean (an unknown sort, page 0) becomes the list's own order and first page."""
        asked = visit.request.query_params
        filters = {item.key: asked[item.key].strip() for item in self.filters if asked.get(item.key, "").strip()}
        filters = {item.key: item.default for item in self.filters if item.default} | filters
        sort = asked.get("sort", self.sort)
        known = sort in {column.key for column in self.columns if column.sortable}
        size = wanted if (wanted := read_number(asked.get("size", ""))) in PAGE_SIZES else PAGE_SIZES[0]
        number = max(1, min(read_number(asked.get("page", "")) or 1, 10**6))
        descending = asked.get("order", "") == "desc" if known and "sort" in asked else self.descending
        return Query({**filters, **self.fixed}, sort if known else self.sort, descending, number, size)


def address(definition: ListPage, query: Query, path: str = "", **changes: object) -> str:
    """Return the address of a list with the query's state and some of it changed (page, size, sort, order)."""
    state: dict[str, object] = {key: value for key, value in query.filters.items() if key not in definition.fixed}
    if query.sort != definition.sort or query.descending != definition.descending:
        state |= {"sort": query.sort, "order": "desc" if query.descending else "asc"}
    if query.size != PAGE_SIZES[0]:
        state["size"] = query.size
    state |= changes
    return (path or definition.path) + ("?" + urlencode(state) if state else "")


async def show_list(visit: Visit, definition: ListPage) -> Response:
    """Return the list as a page, or only its table when htmx asks for `#list`."""
    query = definition.query(visit)
    rows = await definition.fetch(visit, query)
    context = {
        **await _base(visit, definition, query),
        "rows": rows,
        "pages": None if rows.total is None else max(1, -(-rows.total // query.size)),
        "as_of": rows.as_of,
    }
    return render(visit, "lists/table.html" if visit.target == "list" else definition.template, context)


async def print_list(visit: Visit, definition: ListPage) -> Response:
    """Return the list as a sheet to print: every row of the query up to PRINT_ROWS, with who printed it and when."""
    query = definition.query(visit)
    items: list[Mapping[str, object]] = []
    as_of = ""
    async for rows in every_page(visit, definition, query):
        as_of = as_of or rows.as_of
        items.extend(rows.items)
        if len(items) >= PRINT_ROWS:
            break
    items = items[:PRINT_ROWS]
    await visit.record("print", definition.path, persons=_persons(items))
    context = {**await _base(visit, definition, query), "items": items, "most": PRINT_ROWS, "as_of": as_of}
    return render(visit, "lists/print.html", context)


async def export_list(visit: Visit, definition: ListPage) -> Response:
    """Return every row of the query as Excel with a watermark; with progress lines for a browser that asks for them."""
    query = definition.query(visit)
    labels = [(visit.text(column.label), column.kind) for column in definition.exported]

    async def cells() -> AsyncIterator[Sequence[object]]:
        persons: list[int] = []
        async for rows in every_page(visit, definition, query):
            persons.extend(_persons(rows.items))
            for row in rows.items:
                yield [row.get(column.key) for column in definition.exported]
        await visit.record("export", definition.path, persons=persons)

    first = await definition.fetch(visit, Query(query.filters, query.sort, query.descending, 1, 1))
    return await export_answer(visit, Heading(visit.text(definition.title), labels, first.total, first.as_of), cells())


async def every_page(visit: Visit, definition: ListPage, query: Query) -> AsyncIterator[Rows]:
    """Yield all rows of a query, some hundred at a time."""
    number = 1
    while True:
        rows = await definition.fetch(visit, Query(query.filters, query.sort, query.descending, number, _EXPORT_BATCH))
        yield rows
        if len(rows.items) < _EXPORT_BATCH:
            return
        number += 1


def _persons(items: Sequence[Mapping[str, object]]) -> list[int]:
    """Return the residents a copy shows, for the audit log: the key `person` of the rows."""
    return [person for row in items if isinstance(person := row.get("person"), int)]


async def _base(visit: Visit, definition: ListPage, query: Query) -> dict[str, object]:
    options = {item.key: item.options if not callable(item.options) else await item.options(visit) for item in definition.filters}
    further = await definition.context(visit, query) if definition.context else {}
    return {"page": definition, "query": query, "options": options, "address": address, "sizes": PAGE_SIZES, **further}
