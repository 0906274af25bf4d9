"""Code systems, their concepts, and correspondences between them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

# How a target concept stands to its source. Source: HL7 FHIR R4, value set concept-map-equivalence.
Equivalence = Literal[
    "relatedto", "equivalent", "equal", "wider", "subsumes", "narrower", "specializes", "inexact", "unmatched", "disjoint"
]
EQUIVALENCES: Final[tuple[Equivalence, ...]] = (
    "relatedto",
    "equivalent",
    "equal",
    "wider",
    "subsumes",
    "narrower",
    "specializes",
    "inexact",
    "unmatched",
    "disjoint",
)
# Those by which a record coded in the source may be counted under the target.
USABLE: Final[frozenset[Equivalence]] = frozenset({"equivalent", "equal", "wider", "subsumes"})


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """A code system. is_complete: every code is loaded.  source: where the codes come from (document, edition, licence)."""

    url: str
    version: str
    name_zh: str
    name_en: str
    is_complete: bool
    source: str


@dataclass(frozen=True, slots=True)
class Concept:
    """A code of a system with its names; parent is the code it stands under, None at the top."""

    system: str
    code: str
    display_zh: str
    display_en: str = ""
    parent: str | None = None
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Validation:
    """Whether a code is of a system. is_valid None: not known here (the system is not loaded, or not whole)."""

    is_valid: bool | None
    zh: str
    en: str
    concept: Concept | None = None


@dataclass(frozen=True, slots=True)
class NewMapping:
    """A correspondence to be entered: the target stands to the source as `equivalence` says; source: who or what says so."""

    source_system: str
    source_code: str
    target_system: str
    target_code: str
    equivalence: Equivalence
    source: str


@dataclass(frozen=True, slots=True)
class Mapping:
    """A correspondence with who entered it and when, and who ended it."""

    map_no: int
    fact: NewMapping
    entered_by: int
    entered_at: datetime
    ended_by: int | None
    ended_at: datetime | None
    end_reason: str | None
