"""R4 as data: types, elements, value sets and search parameters, read once from the file the build compiled."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, cached_property
from pathlib import Path
from typing import Final

import msgspec

from xinglin.base.errors import UnavailableError

COMPILED: Final = Path(__file__).parent / "published" / "compiled.json"
PRIMITIVES: Final = frozenset(
    (
        *("base64Binary", "boolean", "canonical", "code", "date", "dateTime", "decimal", "id", "instant", "integer", "markdown"),
        *("oid", "positiveInt", "string", "time", "unsignedInt", "uri", "url", "uuid", "xhtml"),
    )
)


class TypeRef(msgspec.Struct, frozen=True, array_like=True):
    """One type an element may have.

    code: the FHIR type's name, as it ends the JSON name of a choice.  key: where its elements stand in `Definitions.types`.
    targets: resource types a Reference may point to; empty = any.
    """

    code: str
    key: str
    targets: tuple[str, ...]

    @property
    def is_primitive(self) -> bool:
        """Say whether values of this type are JSON strings, numbers or booleans."""
        return self.code in PRIMITIVES


class Element(msgspec.Struct, frozen=True, array_like=True):
    """One element of a type. `maximum` is -1 for *; `value_set` is the canonical URL of a required binding."""

    name: str
    choice: bool
    minimum: int
    maximum: int
    types: tuple[TypeRef, ...]
    value_set: str | None

    @property
    def repeats(self) -> bool:
        """Say whether JSON carries it as an array."""
        return self.maximum != 1

    @property
    def label(self) -> str:
        """Return the name as the specification writes it (`value[x]`)."""
        return f"{self.name}[x]" if self.choice else self.name

    def json_names(self) -> list[tuple[str, TypeRef]]:
        """Return the JSON names it may appear under, each with its type."""
        if not self.choice:
            return [(self.name, self.types[0])]
        return [(self.name + ref.code[0].upper() + ref.code[1:], ref) for ref in self.types]


class TypeModel(msgspec.Struct, dict=True):
    """A resource type, a data type or a backbone element."""

    kind: str
    abstract: bool
    elements: tuple[Element, ...]

    @cached_property
    def fields(self) -> dict[str, tuple[Element, TypeRef]]:
        """JSON name → element and type; `_name` siblings are not in it."""
        return {name: (element, ref) for element in self.elements for name, ref in element.json_names()}


class SearchRecord(msgspec.Struct, frozen=True):
    """One published search parameter, as HL7 wrote it."""

    code: str
    url: str
    base: tuple[str, ...]
    type: str
    expression: str
    target: tuple[str, ...]
    component: tuple[tuple[str, str], ...]


class Definitions(msgspec.Struct, dict=True):
    """Everything of R4 the house knows: types by key, closed value sets (None = open), search parameters, patient compartment."""

    version: str
    types: dict[str, TypeModel]
    value_sets: dict[str, tuple[tuple[str, tuple[str, ...]], ...] | None]
    search: tuple[SearchRecord, ...]
    patient_compartment: dict[str, tuple[str, ...]]

    @cached_property
    def resource_types(self) -> frozenset[str]:
        """The names of the concrete resource types of R4."""
        return frozenset(name for name, model in self.types.items() if model.kind == "resource" and not model.abstract)

    @cached_property
    def closed_codes(self) -> Mapping[str, frozenset[str]]:
        """Value set → its codes, for those the build could close."""
        return {url: frozenset(code for _, codes in parts for code in codes) for url, parts in self.value_sets.items() if parts is not None}

    def system_of(self, value_set: str | None) -> str | None:
        """Return the one code system of a value set, or None if it has several or is open."""
        parts = self.value_sets.get(value_set) if value_set else None
        return parts[0][0] if parts is not None and len(parts) == 1 else None


@cache
def load_definitions(path: Path = COMPILED) -> Definitions:
    """Return the compiled definitions, read once. Raises: UnavailableError if the build did not bring them."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Definitions)
    except FileNotFoundError:
        raise UnavailableError(
            "缺少 FHIR R4 定义文件，请在源码目录运行 python scripts/hatch_build.py",
            "the FHIR R4 definitions are missing; run `python scripts/hatch_build.py` in the source folder",
            where=path.name,
        ) from None
