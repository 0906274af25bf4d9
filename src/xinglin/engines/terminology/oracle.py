"""Answers about value sets without a query: what `fhir` asks while it validates.

Two sets are grammars rather than lists and are answered from their standards; the others from what was loaded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

# Source: RFC 6838, section 4.2 (names of media types), RFC 2045 section 5.1 (parameters after a semicolon).
_MEDIA_TYPE: Final = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]{0,126}(\s*;\s*[^\s;=]+=(\"[^\"]*\"|[^\s;\"]+))*"
)
# Source: RFC 5646, section 2.1 (language, extended language, script, region, variants, extensions, private use).
_LANGUAGE: Final = re.compile(
    r"([a-z]{2,3}(-[a-z]{3}){0,3}|[a-z]{4,8})(-[a-z]{4})?(-([a-z]{2}|\d{3}))?(-([a-z0-9]{5,8}|\d[a-z0-9]{3}))*"
    r"(-[0-9a-wy-z](-[a-z0-9]{2,8})+)*(-x(-[a-z0-9]{1,8})+)?|x(-[a-z0-9]{1,8})+",
    re.IGNORECASE,
)
_GRAMMARS: Final[Mapping[str, tuple[str, re.Pattern[str]]]] = MappingProxyType(
    {
        "http://hl7.org/fhir/ValueSet/mimetypes": ("urn:ietf:bcp:13", _MEDIA_TYPE),
        "http://hl7.org/fhir/ValueSet/all-languages": ("urn:ietf:bcp:47", _LANGUAGE),
    }
)


@dataclass(frozen=True, slots=True)
class ValueSets:
    """Value sets as they were when this was made; implements the CodeOracle of `fhir`.

    codes: value set → (system, code) that belong to it.  systems: value set → whole systems that belong to it, each with its codes
    where it is complete, None where it is not.
    """

    codes: Mapping[str, frozenset[tuple[str, str]]]
    systems: Mapping[str, Mapping[str, frozenset[str] | None]]

    def is_member(self, value_set: str, system: str | None, code: str) -> bool | None:
        """Say whether a code is in a value set; None if it is not known. `system` is None for elements of type code."""
        url = value_set.split("|", 1)[0]
        if url in _GRAMMARS:
            of_grammar, pattern = _GRAMMARS[url]
            return system in (None, of_grammar) and pattern.fullmatch(code) is not None
        codes, whole = self.codes.get(url), self.systems.get(url)
        if codes is None and whole is None:
            return None
        if codes and (any(known == code for _, known in codes) if system is None else (system, code) in codes):
            return True
        return self._in_a_system(whole or {}, system, code)

    @staticmethod
    def _in_a_system(whole: Mapping[str, frozenset[str] | None], system: str | None, code: str) -> bool | None:
        asked = [codes for url, codes in whole.items() if system in (None, url)]
        if any(codes is not None and code in codes for codes in asked):
            return True
        return None if any(codes is None for codes in asked) else False
