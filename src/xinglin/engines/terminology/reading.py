"""Reads code systems (FHIR CodeSystem or CSV) and correspondences (CSV); problems are named by their line or place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, cast

import orjson

from xinglin.base.errors import IncorrectError
from xinglin.base.table import RowsRead, csv_rows, read_rows
from xinglin.engines.terminology.model import EQUIVALENCES, CodeSystem, Concept, Equivalence, NewMapping

_INACTIVE: Final = ("retired", "deprecated")
_DEPTH: Final = 40


def read_code_system(content: bytes, *, source: str) -> tuple[CodeSystem, list[Concept]]:
    """Return a FHIR R4 CodeSystem and its concepts, nested ones under their parents.

    `title` or `name` is taken as the name; a designation whose language begins with `zh` as the Chinese display.
    Raises: IncorrectError naming the place.
    """
    try:
        resource = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise IncorrectError("不是有效的 JSON", "not valid JSON; send a FHIR CodeSystem") from error
    if not isinstance(resource, dict) or resource.get("resourceType") != "CodeSystem" or not resource.get("url"):
        raise IncorrectError("须为带 url 的 FHIR CodeSystem", "send a FHIR CodeSystem that has a url", where="resourceType")
    name = str(resource.get("title") or resource.get("name") or resource["url"])
    system = CodeSystem(
        url=resource["url"],
        version=str(resource.get("version", "")),
        name_zh=name,
        name_en=name,
        is_complete=resource.get("content") == "complete",
        source=source,
    )
    return system, _distinct(_walk(system.url, resource.get("concept", []), None, "concept"))


CONCEPT_COLUMNS: Final = ("code", "display_zh", "display_en", "parent", "active")
MAPPING_COLUMNS: Final = ("source_system", "source_code", "target_system", "target_code", "equivalence", "source")


def concept_rows(content: bytes, system: CodeSystem) -> RowsRead[Concept]:
    """Return the concepts of a CSV with columns code, display_zh and optionally display_en, parent, active (1 or 0), row by row.

    Raises: IncorrectError for an unknown encoding or missing columns.
    """
    seen: set[str] = set()

    def read(row: dict[str, str], where: str) -> Concept:
        code, name = _need(row, "code", where), _need(row, "display_zh", where)
        if row.get("active", "") not in ("", "0", "1"):
            raise IncorrectError("active 写 1（在用）或 0（停用）", "write active as 1 (in use) or 0 (retired)", where=where)
        if code in seen:
            raise IncorrectError("这个代码在前面已出现，请只保留一行", "the code stands further up already; keep one row", where=where)
        seen.add(code)
        return Concept(system.url, code, name, row.get("display_en", ""), row.get("parent") or None, row.get("active") != "0")

    found = read_rows(csv_rows(content, ("code", "display_zh")), read)
    words = ("上级代码 parent 不在这个文件里", "the parent is no code of this file")
    orphans = [IncorrectError(*words, where=where) for where, item in found.items if item.parent is not None and item.parent not in seen]
    return RowsRead(found.items, (*found.problems, *orphans))


def read_concept_csv(content: bytes, system: CodeSystem) -> list[Concept]:
    """Return the concepts of a CSV (see `concept_rows`).  Raises: IncorrectError naming the first line that cannot stand."""
    return concept_rows(content, system).all_or_first()


def mapping_rows(content: bytes) -> RowsRead[NewMapping]:
    """Return the correspondences of a CSV, row by row: source_system, source_code, target_system, target_code, equivalence, source."""

    def read(row: dict[str, str], where: str) -> NewMapping:
        texts = [_need(row, name, where) for name in MAPPING_COLUMNS]
        return check_mapping(NewMapping(texts[0], texts[1], texts[2], texts[3], cast(Equivalence, texts[4]), texts[5]), where)

    return read_rows(csv_rows(content, MAPPING_COLUMNS), read)


def read_mapping_csv(content: bytes) -> list[NewMapping]:
    """Return the correspondences of a CSV (see `mapping_rows`).  Raises: IncorrectError naming the first line that cannot stand."""
    return mapping_rows(content).all_or_first()


def check_mapping(mapping: NewMapping, where: str = "") -> NewMapping:
    """Return a mapping that can stand.  Raises: IncorrectError."""
    if mapping.equivalence not in EQUIVALENCES:
        known = ", ".join(EQUIVALENCES)
        raise IncorrectError(f"对应关系只能是 {known}", f"write an equivalence out of {known}", where=where or "equivalence")
    if not mapping.source.strip():
        raise IncorrectError("要写依据（文件或决定人）", "write who or what says so", where=where or "source")
    if (mapping.source_system, mapping.source_code) == (mapping.target_system, mapping.target_code):
        raise IncorrectError("不能对应到自己", "a code cannot be mapped to itself", where=where or "target_code")
    return mapping


def _walk(system: str, concepts: Sequence[Any], parent: str | None, where: str, depth: int = 0) -> Iterator[Concept]:
    if depth > _DEPTH:
        raise IncorrectError(f"层级超过 {_DEPTH}", f"more than {_DEPTH} levels; flatten the system", where=where)
    for number, concept in enumerate(concepts):
        here = f"{where}[{number}]"
        if not isinstance(concept, dict) or not concept.get("code"):
            raise IncorrectError("缺少 code", "a concept needs a code", where=here)
        display = str(concept.get("display") or concept["code"])
        chinese = next((d["value"] for d in concept.get("designation", []) if str(d.get("language", "")).startswith("zh")), display)
        yield Concept(system, concept["code"], chinese, display, parent, not _is_retired(concept))
        yield from _walk(system, concept.get("concept", []), concept["code"], f"{here}.concept", depth + 1)


def _is_retired(concept: Mapping[str, Any]) -> bool:
    return any(
        (each.get("code") == "status" and each.get("valueCode") in _INACTIVE)
        or (each.get("code") == "inactive" and each.get("valueBoolean"))
        for each in concept.get("property", [])
    )


def _need(row: Mapping[str, str], name: str, where: str) -> str:
    if not row.get(name):
        raise IncorrectError(f"{name} 不能为空", f"write {name}", where=where)
    return row[name]


def _distinct(concepts: Iterable[Concept]) -> list[Concept]:
    found: dict[str, Concept] = {}
    for concept in concepts:
        if concept.code in found:
            raise IncorrectError(f"代码 {concept.code} 出现两次", f"the code {concept.code} appears twice; keep one", where="code")
        found[concept.code] = concept
    orphans = sorted({each.parent for each in found.values() if each.parent is not None and each.parent not in found})
    if orphans:
        raise IncorrectError(f"上级代码不存在：{orphans[:5]}", f"parents that are no code here: {orphans[:5]}", where="parent")
    return list(found.values())
