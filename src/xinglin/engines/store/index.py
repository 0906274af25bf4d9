"""Turns the index values of a resource into rows of the index tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from functools import cache
from typing import Any, Final

from xinglin.engines.store.findings import STRING_LIMIT, Findings
from xinglin.engines.store.tokens import Tokens
from xinglin.fhir import Extracted, extractor, search_parameters

SEVERAL_PATIENTS: Final = frozenset({"Account", "Appointment", "AuditEvent", "Contract", "Person", "Provenance"})
"""Types whose `patient` or `subject` may name more than one: found by tokens, all others by the column `pat`."""
SEALED_TYPES: Final = frozenset({"Binary", "Bundle", "Parameters"})
"""Types whose content no search parameter reads: somebody's record may be inside."""
_PEOPLE: Final = frozenset({"Patient", "Person", "RelatedPerson"})
PATIENT_PARAMS: Final = ("patient", "subject")
UNIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "combo-code": ("code", "component-code"),
    "combo-data-absent-reason": ("data-absent-reason", "component-data-absent-reason"),
    "combo-value-concept": ("value-concept", "component-value-concept"),
    "combo-value-quantity": ("value-quantity", "component-value-quantity"),
}
"""Parameters of Observation that are the union of two others: searched as such, not indexed again."""
OWN_COLUMNS: Final = frozenset({"_id", "_lastUpdated", "_source"})
"""Parameters answered by columns of ours."""
_MAIN_DATES: Final = (
    *("authoredon", "authored-on", "authored", "date", "effective", "effective-time", "occurrence", "onset-date", "started", "created"),
    *("recorded", "sent", "issued", "birthdate", "period", "start", "timestamp", "whenhandedover", "identified", "entered-date"),
    *("start-date", "collected", "datetime", "datewritten"),
)


@cache
def main_date_parameter(rtype: str) -> str | None:
    """Return the date parameter whose value stands in `res.dt` and `res.dt_end`, or None if the type has none.

    Each of them reads an element that occurs once at most.
    """
    known = search_parameters(rtype)
    return next((name for name in _MAIN_DATES if name in known and known[name].type == "date"), None)


def _is_about_unknown(rtype: str, values: Extracted, resource: Mapping[str, Any]) -> bool:
    """Tell whether a resource without a Patient of ours still speaks about a person."""
    return (
        rtype in SEALED_TYPES
        or any(kind == "Patient" and ":" in target for _, kind, target in values.references)
        or any(param in PATIENT_PARAMS for param, _, _ in values.identifiers)
        or any(inner.get("resourceType") in _PEOPLE for inner in resource.get("contained", ()))
    )


class Index:
    """Makes the index rows of resources; `zone` is the district's, for dates without one."""

    def __init__(self, tokens: Tokens, zone: tzinfo) -> None:
        self._tokens = tokens
        self._zone = zone

    def find(self, rtype: str, own_id: str, resource: Mapping[str, Any]) -> Findings:
        """Return what a resource can be found by.  Raises: UnsupportedError for a type R4 does not have."""
        values = extractor(rtype, self._zone)(resource)
        found = Findings()
        self._take_references(rtype, values, found)
        self._take_tokens(rtype, values, found)
        self._take_strings(rtype, values, found)
        self._take_dates(rtype, values, found)
        self._take_numbers(rtype, values, found)
        if rtype == "Patient":
            found.patient, found.others = own_id, ()
        found.is_about_unknown = found.patient is None and _is_about_unknown(rtype, values, resource)
        return found

    def _take_references(self, rtype: str, values: Extracted, found: Findings) -> None:
        tokens, patients = self._tokens, dict[str, bool]()
        for param, kind, target in values.references:
            found.tokens.add(tokens.present(rtype, param))
            is_ours = kind is not None and ":" not in target
            if is_ours and kind is not None:
                found.mentions.add((kind, target))
            is_main = param in PATIENT_PARAMS
            if is_ours and kind == "Patient":
                patients[target] = patients.get(target, False) or is_main
                if is_main and rtype not in SEVERAL_PATIENTS:
                    continue
            found.tokens.add(tokens.reference(rtype, param, f"{kind}/{target}" if is_ours else target))
        for param, system, value in values.identifiers:
            found.tokens.update(tokens.group(rtype, f"{param}:identifier", system, value))
        main = [own for own, is_main in patients.items() if is_main]
        found.patient = main[0] if main else None
        found.others = tuple(own for own in patients if own != found.patient)

    def _take_tokens(self, rtype: str, values: Extracted, found: Findings) -> None:
        tokens = self._tokens
        for param, system, code, text in values.tokens:
            if param in OWN_COLUMNS or param in UNIONS:
                continue
            if code is not None or system is not None:
                found.tokens.update(tokens.group(rtype, param, system, code))
            elif text is not None:
                found.tokens.add(tokens.present(rtype, param.partition(":")[0]))
        for param, uri in values.uris:
            if param not in OWN_COLUMNS:
                found.tokens.add(tokens.present(rtype, param))
                found.tokens.add(tokens.uri(rtype, param, uri))

    def _take_strings(self, rtype: str, values: Extracted, found: Findings) -> None:
        for param, written, folded in values.strings:
            found.tokens.add(self._tokens.present(rtype, param))
            found.tokens.add(self._tokens.exact(rtype, param, written))
            found.strings.add((f"{rtype}.{param}", folded[:STRING_LIMIT]))

    def _take_dates(self, rtype: str, values: Extracted, found: Findings) -> None:
        chosen = main_date_parameter(rtype)
        for param, start, end in values.dates:
            if param in OWN_COLUMNS:
                continue
            found.tokens.add(self._tokens.present(rtype, param))
            if param == chosen:
                low, high = found.main or (start, end)
                found.main = (min(low, start), max(high, end))
            else:
                found.dates.add((f"{rtype}.{param}", start, end))

    def _take_numbers(self, rtype: str, values: Extracted, found: Findings) -> None:
        tokens = self._tokens
        for param, low, high in values.numbers:
            found.tokens.add(tokens.present(rtype, param))
            found.numbers.add((f"{rtype}.{param}", float(low), float(high), None, None))
        for param, low, high, system, code, unit in values.quantities:
            if param in UNIONS:
                continue
            found.tokens.add(tokens.present(rtype, param))
            exact = tokens.unit(system, code) if system is not None and code is not None else None
            for name in {code, unit} - {None} or {None}:
                by_name = None if name is None else tokens.unit_code(name)
                found.numbers.add((f"{rtype}.{param}", float(low), float(high), exact, by_name))
