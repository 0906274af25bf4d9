"""Elements a role never sees: taken out of bodies, and out of what can be asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

import msgspec

from xinglin.engines.security import Scope
from xinglin.engines.store.model import Stored
from xinglin.fhir import search_parameters

_RAW: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER: Final = msgspec.json.Encoder()
NEVER_MASKED: Final = frozenset({"resourceType", "id", "meta"})


class Masks:
    """The table role → resource type → top-level elements to drop.

    Bytes are copied unchanged where a role's table does not name the type. A masked body carries no narrative (`text`), which would repeat
    what was dropped.
    """

    def __init__(self, table: Mapping[str, Mapping[str, frozenset[str]]]) -> None:
        self._table = {
            role: {rtype: frozenset(elements - NEVER_MASKED) | {"text"} for rtype, elements in types.items() if elements - NEVER_MASKED}
            for role, types in table.items()
        }

    def elements(self, scope: Scope, rtype: str) -> frozenset[str]:
        """Return the elements this scope does not see in a type."""
        return self._table.get(scope.role, {}).get(rtype, frozenset())

    def apply(self, scope: Scope, found: Sequence[Stored]) -> list[Stored]:
        """Return the versions without the elements the scope does not see."""
        types = self._table.get(scope.role)
        if not types:
            return list(found)
        return [self._masked(entry, types[entry.rtype]) if entry.rtype in types and entry.body else entry for entry in found]

    def hides_parameter(self, scope: Scope, rtype: str, param: str) -> bool:
        """Tell whether a search parameter reads an element this scope does not see."""
        hidden = self.elements(scope, rtype)
        return bool(hidden) and any(_is_form_of(name, read) for name in hidden for read in _elements_read(rtype, param))

    @staticmethod
    def _masked(entry: Stored, hidden: frozenset[str]) -> Stored:
        kept = {name: value for name, value in _RAW.decode(entry.body).items() if name.removeprefix("_") not in hidden}
        return replace(entry, body=_ENCODER.encode(kept))


def _is_form_of(name: str, element: str) -> bool:
    """Tell whether a JSON name is an element, or one of its types where it is a choice (valueQuantity of value)."""
    return name == element or (name.startswith(element) and name[len(element)].isupper())


@lru_cache(maxsize=4096)
def _elements_read(rtype: str, param: str) -> frozenset[str]:
    """Return the top-level elements a search parameter of a type reads, as its expression names them."""
    known = search_parameters(rtype).get(param)
    if known is None:
        return frozenset()
    paths = (part.strip().lstrip("(") for part in known.expression.split("|"))
    return frozenset(path.split(".")[1].split(" ")[0] for path in paths if path.startswith(f"{rtype}.") and "." in path)
