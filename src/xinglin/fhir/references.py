"""Finds and rewrites the references of a resource, wherever they stand: elements, extensions, contained resources, links, narrative."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from xinglin.fhir.model import load_definitions

_LINK_TYPES: Final = frozenset({"uri", "url", "oid", "uuid"})
_URN: Final = "urn:"
_NARRATIVE_LINK = re.compile(r"""((?:href|src)\s*=\s*["'])(urn:[^"']+)(["'])""")


_NOT_LINKS: Final = frozenset({"system", "profile", "reference", "fullUrl", "type", "code", "identifier"})


@cache
def link_names() -> frozenset[str]:
    """Return the JSON names under which R4 carries a uri, url, oid or uuid, except those that name a system, a type or the entry itself.

    Such an element may point to an entry of the same Bundle. Source: HL7 FHIR R4 4.0.1, 3.1.0.11.2 Transaction Processing Rules.
    """
    fields = (item for model in load_definitions().types.values() for item in model.fields.items())
    return frozenset(name for name, (_, ref) in fields if ref.code in _LINK_TYPES) - _NOT_LINKS


def references(resource: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Yield (path, container, key) of every reference: `container[key]` is the string, to be read or replaced.

    Literal references (`Reference.reference`) of the resource, its contained resources, extensions and Bundle entries; and links of type
    uri, url, oid or uuid whose value is a urn. The narrative is left to `rewrite_references`.
    """
    root = resource.get("resourceType")
    stack: list[tuple[Any, str]] = [(resource, root if isinstance(root, str) else "Resource")]
    while stack:
        value, path = stack.pop()
        if isinstance(value, dict):
            for key, item in value.items():
                if isinstance(item, str) and _is_reference(key, item):
                    yield f"{path}.{key}", value, key
            stack.extend((item, f"{path}.{key}") for key, item in reversed(value.items()) if isinstance(item, dict | list))
        else:
            stack.extend((item, f"{path}[{i}]") for i, item in reversed(list(enumerate(value))) if isinstance(item, dict | list))


def _is_reference(key: str, text: str) -> bool:
    return key == "reference" or (text.startswith(_URN) and key in link_names())


def rewrite_references(resource: dict[str, Any], mapping: Mapping[str, str]) -> int:
    """Replace, in place, every reference that is a key of `mapping`; returns how many were replaced.

    mapping: as written (urn:uuid:..., Type/id, a conditional reference, an absolute URL) → what to write instead. A reference with a
    fragment or version after the key is left alone. Links in the narrative (href, src) to a urn of the mapping are replaced too.
    """
    if not mapping:
        return 0
    replaced = 0
    links = link_names()
    stack: list[Any] = [resource]
    while stack:
        value = stack.pop()
        if type(value) is list:
            stack.extend(item for item in value if type(item) is dict or type(item) is list)
            continue
        for key, item in value.items():
            if type(item) is str:
                if key == "reference" or (item[:4] == _URN and key in links):
                    new = mapping.get(item)
                    if new is not None:
                        value[key] = new
                        replaced += 1
                elif key == "div" and _URN in item:
                    value[key], count = _rewrite_narrative(item, mapping)
                    replaced += count
            elif type(item) is dict or type(item) is list:
                stack.append(item)
    return replaced


def _rewrite_narrative(text: str, mapping: Mapping[str, str]) -> tuple[str, int]:
    count = 0

    def put(link: re.Match[str]) -> str:
        nonlocal count
        new = mapping.get(link[2])
        if new is None:
            return link[0]
        count += 1
        return link[1] + new + link[3]

    return _NARRATIVE_LINK.sub(put, text), count
