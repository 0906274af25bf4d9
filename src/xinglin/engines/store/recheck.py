"""Hits on identifiers and references, checked again on the real value: two values may share a hash."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Final

import msgspec

from xinglin.engines.store.conditions import reference_targets
from xinglin.engines.store.index import OWN_COLUMNS, PATIENT_PARAMS, SEVERAL_PATIENTS
from xinglin.engines.store.query import Term, split_bars, unescape
from xinglin.fhir import Extracted, extractor

_DECODER: Final = msgspec.json.Decoder()


def needs_recheck(rtype: str, term: Term) -> bool:
    """Tell whether a wrong hit of a term would confuse one thing with another: identifiers and references.

    Patients of a type that names one are found by number, not by hash, and need none.
    """
    if term.modifier in ("not", "missing") or term.param.name in OWN_COLUMNS:
        return False
    if term.param.type != "reference":
        return "dentifier" in term.param.expression
    if term.modifier == "identifier" or term.param.name not in PATIENT_PARAMS or rtype in SEVERAL_PATIENTS:
        return True
    return not all(target.startswith("Patient/") for value in term.values for target in reference_targets(term, unescape(value)))


def fulfils(rtype: str, terms: Sequence[Term], body: bytes, zone: tzinfo) -> bool:
    """Tell whether a body really fulfils terms that need the check."""
    names = frozenset(term.param.name for term in terms)
    values = extractor(rtype, zone, names)(_DECODER.decode(body))
    return all(_fulfils(term, values) for term in terms)


def _fulfils(term: Term, values: Extracted) -> bool:
    name = term.param.name
    coded: list[tuple[str | None, str | None]]
    if term.modifier == "identifier":
        coded = [(system, code) for param, system, code in values.identifiers if param == name]
        return any(_is_coded(value, coded) for value in term.values)
    if term.param.type == "reference":
        return _refers(term, values)
    if term.modifier == "of-type":
        coded = [(system, code) for param, system, code, _ in values.tokens if param == f"{name}:of-type"]
        return any((system, f"{kind}|{own}") in coded for system, kind, own in map(split_bars, term.values))
    coded = [(system, code) for param, system, code, _ in values.tokens if param == name]
    return any(_is_coded(value, coded) for value in term.values)


def _is_coded(value: str, coded: Sequence[tuple[str | None, str | None]]) -> bool:
    match split_bars(value):
        case [code]:
            return any(own == code for _, own in coded)
        case [system, ""]:
            return any(own == system for own, _ in coded)
        case [system, code]:
            return any((own or "") == system and found == code for own, found in coded)
    return False


def _refers(term: Term, values: Extracted) -> bool:
    """Patients were found by number, not by hash, and stand for their whole cluster: any Patient will do there."""
    targets = {f"{kind}/{own}" if kind and ":" not in own else own for param, kind, own in values.references if param == term.param.name}
    wanted = {target for value in term.values for target in reference_targets(term, unescape(value))}
    if term.param.name in PATIENT_PARAMS and any(target.startswith("Patient/") for target in wanted):
        return any(target.startswith("Patient/") for target in targets) or not wanted.isdisjoint(targets)
    return not wanted.isdisjoint(targets)
