"""Where a definition is written, on what clause it rests, which query computes it, and on which page its number stands."""

from __future__ import annotations

from dataclasses import dataclass

from xinglin.definitions import Definition, shipped_catalogue
from xinglin.engines.rules.texts import compile_sql


@dataclass(frozen=True, slots=True)
class Where:
    """What `xinglin where` prints. sql: "" for a calculator, which has no query of its own."""

    definition: str
    zh: str
    en: str
    place: str
    source: str
    clause: str
    status: str
    is_verified: bool
    sql: str
    page: str

    def text(self) -> str:
        """Return it as lines for a terminal: the query, which is long, then what is said of it, which stays in sight."""
        checked = "已核对原文 checked against the text" if self.is_verified else "未核对原文 not checked against the text"
        lines = [f"{self.zh} · {self.en}", f"  id        {self.definition}", f"  定义 file  {self.place}", f"  出处 source {self.source}"]
        lines += [f"  条款 clause {self.clause}", f"  依据 status {self.status}，{checked}", f"  页面 page  {self.page or '-'}"]
        return (f"{self.sql}\n\n" if self.sql else "") + "\n".join(lines)


def where_of(definition: Definition, sql: str) -> Where:
    """Return where a definition is written; sql: its compiled query."""
    return Where(
        definition=definition.id,
        zh=definition.title.zh,
        en=definition.title.en,
        place=str(definition.place),
        source=definition.source,
        clause=definition.clause,
        status=definition.status,
        is_verified=definition.verified,
        sql=sql,
        page=definition.page,
    )


def where(name: str) -> str:
    """Return file:line, source, clause, page and SQL of a shipped definition in its newest vintage, by id or name.

    Raises: NotFoundError that lists the ids.
    """
    catalogue = shipped_catalogue()
    definition = catalogue.edition(catalogue.changes()[-1]).get(name)
    return where_of(definition, "" if definition.inputs else compile_sql(definition.outputs)).text()
