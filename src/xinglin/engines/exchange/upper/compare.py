"""How a record stands with the upper-level platform; pure, so that every case can be tested."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

import orjson

from xinglin.engines.exchange.upper.cells import same, word_of
from xinglin.engines.exchange.upper.model import Catalogue, Difference, OurRecord, Reported, SheetMapping, Standing, TheirRow, UpperState

PRESSURE = ("systolic", "diastolic")


def plain_fields(names: Iterable[str]) -> tuple[str, ...]:
    """Return fields with a combined one replaced by those it consists of."""
    return tuple(part for name in names for part in (PRESSURE if name == "blood_pressure" else (name,)))


def digest_of(values: Mapping[str, str], fields: Iterable[str]) -> bytes:
    """Return the SHA-256 of what a sheet with these fields says of a record."""
    names = sorted(set(plain_fields(fields)))
    return hashlib.sha256(orjson.dumps([[name, values.get(name, "")] for name in names])).digest()


def differences(catalogue: Catalogue, mapping: SheetMapping, ours: Mapping[str, str], theirs: Mapping[str, str]) -> tuple[Difference, ...]:
    """Return the fields of the mapping whose values differ. What the platform's sheet leaves empty is not compared."""
    found = []
    for name in plain_fields(column.field for column in mapping.columns):
        field, said = catalogue.fields[name], theirs.get(name, "")
        if said and not same(field, ours.get(name, ""), said):
            found.append(Difference(name, word_of(field, ours.get(name, ""), {}), word_of(field, said, {})))
    return tuple(found)


def stand(parts: tuple[Catalogue, SheetMapping], record: OurRecord, theirs: TheirRow | None, reported: Reported | None) -> Standing:
    """Return the state of a record of ours.

    - Nothing went out and the platform has no row: not reported.
    - It went out and changed since: different (`changed`), whatever the platform's older row says; report it again.
    - It went out after the platform's row was seen, unchanged since: reported; the next sheet that comes in will tell.
    - The platform has a row: reported where every field it fills agrees, else different.
    """
    catalogue, mapping = parts
    if reported is not None and digest_of(record.values, reported.fields) != reported.digest:
        against = differences(catalogue, mapping, record.values, theirs.values) if theirs else ()
        if theirs is None or against or theirs.seen_at <= reported.made_at:
            return Standing(UpperState.DIFFERENT, changed=True, differences=against)
        return Standing(UpperState.REPORTED)
    if theirs is not None and (reported is None or reported.made_at <= theirs.seen_at):
        against = differences(catalogue, mapping, record.values, theirs.values)
        return Standing(UpperState.DIFFERENT, differences=against) if against else Standing(UpperState.REPORTED)
    return Standing(UpperState.REPORTED if reported is not None else UpperState.NOT_REPORTED)
