"""What lists of residents sort by: a name as it is read, so that 丁 stands before 何 and 何 before 王 in every collation of a server."""

from __future__ import annotations

from typing import Any

from yoyo import step

from xinglin.base.text import sort_key

__depends__ = {"0030_identity"}
_AT_ONCE = 5000


def fill(connection: Any) -> None:
    """Fill the column of the residents that are on record already."""
    cursor = connection.cursor()
    cursor.execute("select distinct name from resident")
    names = [row[0] for row in cursor.fetchall()]
    for start in range(0, len(names), _AT_ONCE):
        some = names[start : start + _AT_ONCE]
        cursor.execute(
            "update resident r set sort_key = k.key from unnest(%s::text[], %s::text[]) k (name, key) where r.name = k.name",
            (some, [sort_key(name) for name in some]),
        )


steps = [
    step("""alter table resident add column sort_key text collate "C" not null default ''"""),
    step(fill),
    step("drop index resident_area"),
    step("create index resident_area on resident (area, sort_key)"),
]
