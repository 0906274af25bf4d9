"""Reads `mappings.toml` and checks a mapping somebody edited."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from xinglin.base.errors import DefinitionError, IncorrectError
from xinglin.engines.exchange.upper.model import Catalogue, Field, Kind, SheetColumn


def load_catalogue() -> Catalogue:
    """Return the fields and default columns the product ships.  Raises: DefinitionError."""
    content = tomllib.loads((files(__package__) / "mappings.toml").read_text(encoding="utf-8"))
    fields = {name: _field(name, facts) for name, facts in content["field"].items()}
    kinds = {code: _kind(code, facts) for code, facts in content["record"].items()}
    catalogue = Catalogue(fields, kinds, content["source"], content["verified"])
    for kind in kinds.values():
        try:
            check_columns(catalogue, kind, kind.columns)
        except IncorrectError as error:
            raise DefinitionError(error.zh, error.en, where=f"mappings.toml record.{kind.code}") from error
    return catalogue


def _field(name: str, facts: Mapping[str, Any]) -> Field:
    rest = {key: facts[key] for key in ("codes", "loinc", "unit") if key in facts}
    return Field(name, facts["zh"], facts["en"], facts["kind"], facts["of"], facts.get("link", name), **rest)


def _kind(code: str, facts: Mapping[str, Any]) -> Kind:
    return Kind(code, facts["zh"], facts["en"], facts.get("service", ""), tuple(facts["key"]), columns_from(facts["columns"]))


def columns_from(rows: Sequence[Mapping[str, Any]]) -> tuple[SheetColumn, ...]:
    """Return columns from their plain form."""
    return tuple(SheetColumn(row["title"], row["field"], tuple(row.get("also", ())), dict(row.get("codes", {}))) for row in rows)


def columns_plain(columns: Sequence[SheetColumn]) -> list[dict[str, Any]]:
    """Return columns in the form that is kept."""
    return [{"title": one.title, "field": one.field, "also": list(one.also), "codes": dict(one.codes)} for one in columns]


def check_columns(catalogue: Catalogue, kind: Kind, columns: Sequence[SheetColumn]) -> None:
    """Refuse columns that cannot serve.

    Raises: IncorrectError: no title, an unknown field, a title or field twice, a code we do not have, the key not among them.
    """
    allowed = {one.name for one in catalogue.fields_of(kind)}
    titles: set[str] = set()
    for column in columns:
        if not column.title.strip():
            raise IncorrectError("每一列都要写上级平台的列名", "write the platform's title for each column", where=column.field)
        if column.field not in allowed:
            raise IncorrectError("这一列没有选择本系统的字段", "choose our field for this column", where=column.title)
        for title in (column.title, *column.also):
            if title in titles:
                raise IncorrectError("同一个列名写了两次", "this title is written twice", where=title)
            titles.add(title)
        unknown = sorted(set(column.codes) - set(catalogue.fields[column.field].codes))
        if unknown:
            raise IncorrectError(f"没有代码 {'、'.join(unknown)}", f"there is no code {', '.join(unknown)}", where=column.title)
    fields = [column.field for column in columns]
    twice = sorted({name for name in fields if fields.count(name) > 1})
    if twice:
        raise IncorrectError("同一字段不能对应两列", "a field stands in one column only", where=catalogue.fields[twice[0]].zh)
    missing = [catalogue.fields[name].zh for name in kind.key if name not in fields]
    if missing:
        raise IncorrectError(f"缺少用来核对的列：{'、'.join(missing)}", f"columns needed for matching are missing: {', '.join(missing)}")
