"""How the string of a Reference is read: relative, absolute, conditional, urn or contained."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

ID: Final = r"[A-Za-z0-9\-.]{1,64}"
_LOCAL = re.compile(rf"([A-Z][A-Za-z]+)/({ID})(?:/_history/({ID}))?")
_ABSOLUTE = re.compile(rf"(https?://\S+?)/([A-Z][A-Za-z]+)/({ID})(?:/_history/({ID}))?")
_CONDITIONAL = re.compile(r"([A-Z][A-Za-z]+)\?(\S+=\S*)")
_URN = re.compile(r"urn:(?:uuid:[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|oid:[0-2](?:\.(?:0|[1-9]\d*))+)")
_OTHER = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:\S+")


@dataclass(frozen=True, slots=True)
class ReferenceShape:
    """What the string of a reference says.

    kind: "relative", "absolute", "conditional", "urn", "contained" or "other" (a URI of something that is not a FHIR server).
    type: the resource type it names, or None.  id: the resource's id (of a contained one: without #), or None.
    """

    kind: str
    type: str | None = None
    id: str | None = None


def read_reference(text: str, resource_types: frozenset[str]) -> ReferenceShape | None:
    """Return how a reference is to be read, or None if it has no form R4 knows.

    Source: HL7 FHIR R4 4.0.1, 2.3.0.1 Literal References.
    """
    if text.startswith("#"):
        return ReferenceShape("contained", None, text[1:])
    if local := _LOCAL.fullmatch(text):
        return ReferenceShape("relative", local[1], local[2]) if local[1] in resource_types else None
    if absolute := _ABSOLUTE.fullmatch(text):
        if absolute[2] in resource_types:
            return ReferenceShape("absolute", absolute[2], absolute[3])
        return ReferenceShape("other")
    if conditional := _CONDITIONAL.fullmatch(text):
        return ReferenceShape("conditional", conditional[1]) if conditional[1] in resource_types else None
    if text.startswith(("urn:uuid:", "urn:oid:")):
        return ReferenceShape("urn") if _URN.fullmatch(text) else None
    return ReferenceShape("other") if _OTHER.fullmatch(text) else None


def certain_reference(targets: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern that matches only references `read_reference` accepts and that point to one of `targets`."""
    names = "|".join(sorted(targets))
    return re.compile(rf"(?:(?:https?://[!-~]+/)?(?:{names})/{ID}(?:/_history/{ID})?|(?:{names})\?[!-~]+=[!-~]*|{_URN.pattern})", re.ASCII)
