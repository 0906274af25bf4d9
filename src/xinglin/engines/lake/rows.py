"""Resources → rows of every table, by the ViewDefinitions of `views/`; the same code for one person and for everyone.

Extraction has two steps, so that references are resolved in one batch: `Extraction` first holds references as "Type/id", then
`rows` and `arrow` replace them by integers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from hashlib import sha256
from importlib.resources import files
from typing import Any, Final, Protocol

import orjson
import pyarrow as pa

from xinglin.base.errors import DefinitionError
from xinglin.engines.lake.kinds import Kind, converters
from xinglin.engines.lake.view import Code, Keep, Row, View, compile_view

SYSTEM_COLUMNS: Final = ("rid", "ver", "known_from", "site")
_ARROW: Final[Mapping[Kind, pa.DataType]] = {
    Kind.TEXT: pa.string(),
    Kind.INTEGER: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.TRUTH: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.INSTANT: pa.timestamp("us", tz="UTC"),
    Kind.RID: pa.int64(),
}
SYSTEM_FIELDS: Final = (
    pa.field("rid", pa.int64()),
    pa.field("ver", pa.int32()),
    pa.field("known_from", pa.int64()),
    pa.field("site", pa.int16()),
)

Key = tuple[str, str]


class Resolver(Protocol):
    """Who knows the integer of a resource: engine store."""

    async def rids(self, keys: Sequence[Key]) -> Mapping[Key, int]:
        """Return (type, id) → rid for those that have one."""
        ...


@dataclass(frozen=True, slots=True)
class Fact:
    """One version of a resource as the feed names it.  known_from: seq of its feed entry; resource: parsed body."""

    rid: int
    ver: int
    known_from: int
    site: int
    resource: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Problem:
    """A version that a view could not turn into rows.  words: what is wrong, without values of the record."""

    rid: int
    known_from: int
    table: str
    words: str


class Views:
    """The views of the lake by resource type, with the Arrow schema of each table.

    fingerprint: changes when any view changes; a lake made by other views is made anew.
    """

    def __init__(self, views: Sequence[View], fingerprint: str = "") -> None:
        self.fingerprint = fingerprint
        self._by_type: dict[str, list[View]] = defaultdict(list)
        self._by_name = {view.name: view for view in views}
        for view in views:
            self._by_type[view.resource].append(view)
        self.schemas: Mapping[str, pa.Schema] = {view.name: _schema(view) for view in views}

    @property
    def names(self) -> list[str]:
        """Return the names of the tables made by views."""
        return list(self._by_name)

    @property
    def resource_types(self) -> list[str]:
        """Return the resource types that some view reads."""
        return list(self._by_type)

    @property
    def search(self) -> Mapping[str, Sequence[Code]]:
        """Return type → codes by one of which every resource with rows is found, for types of which that is known."""
        told = {name: [view.search for view in views] for name, views in self._by_type.items()}
        return {name: [code for codes in found for code in codes or ()] for name, found in told.items() if None not in found}

    def of_type(self, resource_type: str) -> Sequence[View]:
        """Return the views of a resource type."""
        return self._by_type.get(resource_type, ())

    def view(self, name: str) -> View:
        """Return the view of a table."""
        return self._by_name[name]


@dataclass(slots=True)
class Extraction:
    """Rows of some resources, references not yet resolved.  A version no view can read stands in `problems`, not in the rows."""

    views: Views
    rows_by_table: dict[str, list[Row]] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, fact: Fact) -> None:
        """Add the rows of one version."""
        head = (fact.rid, fact.ver, fact.known_from, fact.site)
        for view in self.views.of_type(str(fact.resource.get("resourceType"))):
            try:
                rows = view.rows(fact.resource)
            except DefinitionError as error:
                self.problems.append(Problem(fact.rid, fact.known_from, view.name, str(error)))
                continue
            if rows:
                self.rows_by_table.setdefault(view.name, []).extend([head + row for row in rows])

    def keys(self) -> list[Key]:
        """Return the references that wait for an integer, each once."""
        found: set[str] = set()
        for table, rows in self.rows_by_table.items():
            for at in self._reference_places(table):
                found.update([row[at] for row in rows if row[at] is not None])
        return [(kind, number) for kind, _, number in (text.partition("/") for text in found)]

    def _reference_places(self, table: str) -> list[int]:
        columns = self.views.view(table).columns
        return [at for at, column in enumerate(columns, len(SYSTEM_COLUMNS)) if column.kind is Kind.RID]

    def columns(self, table: str, rids: Mapping[Key, int]) -> dict[str, Sequence[Any]]:
        """Return name → values of a table, references resolved; one that `rids` does not know is null."""
        numbers = {f"{kind}/{number}": rid for (kind, number), rid in rids.items()}
        names = self.views.schemas[table].names
        values: list[Sequence[Any]] = list(zip(*self.rows_by_table[table], strict=True))
        for at in self._reference_places(table):
            values[at] = [numbers.get(text) for text in values[at]]
        return dict(zip(names, values, strict=True))

    def arrow(self, table: str, rids: Mapping[Key, int]) -> pa.Table:
        """Return the rows of a table as Arrow, with the fixed schema of the table."""
        return pa.table(self.columns(table, rids), schema=self.views.schemas[table])

    def rows(self, rids: Mapping[Key, int]) -> dict[str, list[dict[str, Any]]]:
        """Return table → rows as dictionaries, every table present; `seq` is `known_from` under the name queries use."""
        result: dict[str, list[dict[str, Any]]] = {name: [] for name in self.views.names}
        for table in self.rows_by_table:
            columns = self.columns(table, rids)
            columns["seq"] = columns["known_from"]
            names = list(columns)
            result[table] = [dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        return result


def _schema(view: View) -> pa.Schema:
    fields = []
    for column in view.columns:
        if column.kind not in _ARROW or column.is_collection:
            raise DefinitionError(
                "湖的列需要单值类型", "a column of the lake needs a type and a single value", where=f"views/{view.name}.json {column.name}"
            )
        fields.append(pa.field(column.name, _ARROW[column.kind]))
    return pa.schema([*SYSTEM_FIELDS, *fields])


def load_views(zone: tzinfo) -> Views:
    """Return the views of the package.  zone: the district's, for days.  Raises: DefinitionError naming view and place."""
    texts = _texts()
    fingerprint = sha256(b"\0".join([str(zone).encode(), *texts])).hexdigest()
    return Views([compile_view(orjson.loads(text), convert=converters(zone)) for text in texts], fingerprint)


def narrow_views(zone: tzinfo, tables: Collection[str], keep: Mapping[str, Keep]) -> Views:
    """Return the views of some tables, for somebody who looks at nothing else.

    keep: table → a column and the values one of which a row must have there; rows with others are not made.
    """
    found = [orjson.loads(text) for text in _texts()]
    return Views([compile_view(one, convert=converters(zone), keep=keep.get(one["name"])) for one in found if one["name"] in tables])


def _texts() -> list[bytes]:
    folder = files("xinglin.engines.lake") / "views"
    return [file.read_bytes() for file in sorted(folder.iterdir(), key=lambda file: file.name) if file.name.endswith(".json")]


def extract(views: Views, facts: Iterable[Fact]) -> Extraction:
    """Return the rows of some versions, references not yet resolved."""
    extraction = Extraction(views)
    for fact in facts:
        extraction.add(fact)
    return extraction


async def rows_of(views: Views, facts: Iterable[Fact], resolver: Resolver) -> dict[str, list[dict[str, Any]]]:
    """Return table → rows of a handful of resources, as `query` would give them for these versions.

    Dates are `date`, instants aware `datetime` in UTC, references integers.  Raises: DefinitionError if a view cannot read one of them.
    """
    extraction = extract(views, facts)
    if extraction.problems:
        problem = extraction.problems[0]
        raise DefinitionError("视图读不了此资源", problem.words, where=f"views/{problem.table}.json")
    keys = extraction.keys()
    return extraction.rows(await resolver.rids(keys) if keys else {})
