"""The store's search finds what the slow plain search finds, in the same order, page by page, by either plan."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.generative.store_reference import Corpus, Kept, Part
from tests.record import EAST, WEST, Record, open_record
from xinglin.engines.security import InstallationSecrets
from xinglin.engines.store import Belonging, Cause, Delete, Link

DATES = (
    "2023",
    "2024-02",
    "2024-02-29",
    "2024-03-01",
    "2024-03-01T08:30:00+08:00",
    "2024-03-01T00:30:00Z",
    "2025",
    "2025-12-31",
    "1990-05-05",
)
NAMES = ("王小丽", "王 小丽", "Wang", "wáng", "王五", "ＷＡＮＧ", "Li  Na", "李娜", "丽")
CODES = ("29463-7", "8302-2", "85354-9")
SYSTEMS = ("http://loinc.org", "urn:local", None)
UNITS = (("http://unitsofmeasure.org", "kg", "kg"), ("http://unitsofmeasure.org", "mm[Hg]", "mmHg"), (None, None, "斤"))
PATIENTS = tuple(f"p{n}" for n in range(8))
PERSONS = {"p0": 1, "p1": 1, "p2": 2, "p3": 3, "p4": 4, "p5": 4}
AREAS = {1: EAST[0], 2: EAST[0] + 1, 3: WEST[0], 4: WEST[0] + 1}
Body = dict[str, Any]


def _coding(random: Random, codes: Sequence[str]) -> Body:
    system = random.choice(SYSTEMS)
    return {"coding": [{**({"system": system} if system else {}), "code": random.choice(codes)}]}


def _period(random: Random) -> Body:
    start, end = sorted(random.sample(DATES, 2))
    return {**({"start": start} if random.random() < 0.8 else {}), **({"end": end} if random.random() < 0.7 else {})} or {"start": start}


def _quantity(random: Random) -> Body:
    system, code, unit = random.choice(UNITS)
    value = random.choice((70, 70.4, 70.5, 69.95, 7, 120, 0.5, -3))
    comparator = {"comparator": random.choice(("<", ">="))} if random.random() < 0.15 else {}
    return {"value": value, "unit": unit, **({"system": system, "code": code} if system else {}), **comparator}


def _maybe(random: Random, share: float, **elements: Any) -> Body:
    return elements if random.random() < share else {}


def _patient(random: Random, own: str) -> Body:
    return {
        "resourceType": "Patient",
        "id": own,
        **_maybe(random, 0.7, identifier=[{"system": random.choice(("urn:a", "urn:b")), "value": random.choice(("1", "2", "3"))}]),
        **_maybe(random, 0.8, name=[{"text": random.choice(NAMES), "family": random.choice(NAMES)[:1]}]),
        **_maybe(random, 0.8, gender=random.choice(("male", "female"))),
        **_maybe(random, 0.8, birthDate=random.choice([date for date in DATES if "T" not in date])),
        **_maybe(random, 0.3, meta={"tag": [{"system": "urn:t", "code": random.choice("xy")}]}),
        **_maybe(random, 0.3, deceasedBoolean=random.random() < 0.5),
        **_maybe(random, 0.4, managingOrganization={"reference": f"Organization/o{random.randrange(3)}"}),
    }


def _observation(random: Random, own: str) -> Body:
    when = {"effectiveDateTime": random.choice(DATES)} if random.random() < 0.6 else {"effectivePeriod": _period(random)}
    about = {"reference": f"Patient/{random.choice(PATIENTS)}" if random.random() < 0.85 else "Group/g"}
    return {
        "resourceType": "Observation",
        "id": own,
        "status": random.choice(("final", "amended", "preliminary")),
        "code": _coding(random, CODES),
        **_maybe(random, 0.9, subject=about),
        **_maybe(random, 0.85, **when),
        **_maybe(random, 0.6, valueQuantity=_quantity(random)),
        **_maybe(random, 0.3, component=[{"code": _coding(random, CODES), "valueQuantity": _quantity(random)} for _ in range(2)]),
        **_maybe(random, 0.4, performer=[{"reference": f"Organization/o{random.randrange(3)}"}, {"reference": "Practitioner/d"}]),
        **_maybe(random, 0.2, focus=[{"reference": f"Patient/{random.choice(PATIENTS)}"}]),
    }


def _condition(random: Random, own: str) -> Body:
    return {
        "resourceType": "Condition",
        "id": own,
        "subject": {"reference": f"Patient/{random.choice(PATIENTS)}"},
        **_maybe(random, 0.7, code=_coding(random, ("I10", "E11"))),
        **_maybe(random, 0.6, onsetDateTime=random.choice(DATES)),
        **_maybe(random, 0.6, recordedDate=random.choice(DATES)),
        **_maybe(random, 0.3, abatementPeriod=_period(random)),
    }


def _appointment(random: Random, own: str) -> Body:
    several = random.sample(PATIENTS, random.randrange(1, 3))
    people = [{"actor": {"reference": f"Patient/{who}"}, "status": "accepted"} for who in several]
    return {"resourceType": "Appointment", "id": own, "status": random.choice(("booked", "arrived")), "participant": people}


def make_corpus(seed: int) -> list[Body]:
    """Return resources with few distinct values, so that queries find some and not all."""
    random = Random(seed)
    made = [_patient(random, own) for own in PATIENTS]
    made += [_observation(random, f"ob{n}") for n in range(90)]
    made += [_condition(random, f"co{n}") for n in range(40)]
    made += [_appointment(random, f"ap{n}") for n in range(20)]
    return made


@pytest.fixture(scope="module")
async def record(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Record]:
    async with open_record(database_url, InstallationSecrets.load(tmp_path_factory.mktemp("secrets"))) as opened:
        yield opened


@pytest.fixture(scope="module")
async def corpus(record: Record) -> Corpus:
    """Write the corpus twice with a difference, write and delete another one, and remember the first."""
    kept = []
    for body in make_corpus(7):
        await record.put({**body, "language": "en"})
    for body in make_corpus(7):
        [outcome] = await record.put(body)
        kept.append(Kept(outcome.rid, outcome.seq, body))
    gone = [{**body, "id": f"gone-{body['id']}"} for body in make_corpus(8)]
    await record.put(*gone)
    await record.write(*(Delete(body["resourceType"], body["id"]) for body in gone))
    rids = await record.store.rids([("Patient", own) for own in PERSONS])
    async with record.database.transaction() as connection:
        links = [Link(rids[("Patient", own)], person, "test") for own, person in PERSONS.items()]
        await record.store.write_links(connection, links, Cause(0, 1, 7))
        await record.store.write_scopes(connection, [Belonging(person, area, None, "") for person, area in AREAS.items()], Cause(0, 1, 7))
    await record.store.sample_tokens()
    return Corpus(kept, PERSONS, record.clock.now())


def _dates(name: str) -> st.SearchStrategy[Part]:
    prefixes = st.sampled_from(("", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"))
    value = st.tuples(prefixes, st.sampled_from(DATES)).map("".join)
    return st.builds(Part, st.just("date"), st.just(name), st.just(""), st.tuples(value))


def _quantities(name: str) -> st.SearchStrategy[Part]:
    prefixes = st.sampled_from(("", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"))
    numbers = st.sampled_from(("70", "70.0", "70.5", "70.50", "7", "120", "0.5", "-3", "65"))
    units = st.sampled_from(("", "|http://unitsofmeasure.org|kg", "||mmHg", "||斤", "||kg"))
    return st.builds(Part, st.just("quantity"), st.just(name), st.just(""), st.tuples(st.tuples(prefixes, numbers, units).map("".join)))


def _any_of(kind: str, name: str, values: Sequence[str], modifiers: Sequence[str] = ("",)) -> st.SearchStrategy[Part]:
    some = st.lists(st.sampled_from(values), min_size=1, max_size=2, unique=True).map(tuple)
    return st.builds(Part, st.just(kind), st.just(name), st.sampled_from(modifiers), some)


def _missing(kind: str, *names: str) -> st.SearchStrategy[Part]:
    return st.builds(Part, st.just(kind), st.sampled_from(names), st.just("missing"), st.sampled_from((("true",), ("false",))))


WHO = [*PATIENTS, *(f"Patient/{own}" for own in PATIENTS), "Patient/nobody"]
CODED = [*CODES, *(f"http://loinc.org|{code}" for code in CODES), *(f"|{code}" for code in CODES), "urn:local|"]
NOT = ("", "not")
TYPES: dict[str, tuple[st.SearchStrategy[Part], list[tuple[str, str]]]] = {
    "Patient": (
        st.one_of(
            _any_of("token", "gender", ("male", "female", "http://hl7.org/fhir/administrative-gender|male"), NOT),
            _any_of("token", "identifier", ("1", "urn:a|2", "urn:b|", "|3"), NOT),
            _any_of("token", "deceased", ("true", "false")),
            _any_of("token", "_tag", ("x", "urn:t|y"), NOT),
            _any_of("string", "name", ("王", "WANG", "wang", "小丽", "li na", "王 小"), ("", "contains")),
            _any_of("string", "name", NAMES, ("exact",)),
            _any_of("token", "_id", PATIENTS),
            _any_of("reference", "organization", ("o1", "Organization/o2")),
            _dates("birthdate"),
            _missing("token", "gender", "identifier", "name", "birthdate", "organization"),
        ),
        [("date", "birthdate"), ("string", "name"), ("string", "family"), ("", "_id"), ("", "_lastUpdated")],
    ),
    "Observation": (
        st.one_of(
            _any_of("token", "code", CODED, NOT),
            _any_of("token", "combo-code", CODED, NOT),
            _any_of("token", "component-code", CODED, NOT),
            _any_of("token", "status", ("final", "amended"), NOT),
            _any_of("reference", "patient", WHO),
            _any_of("reference", "subject", [*WHO, "Group/g"]),
            _any_of("reference", "performer", ("Organization/o1", "Practitioner/d", "o2")),
            _any_of("reference", "focus", [each for each in WHO if "/" in each]),
            _dates("date"),
            _quantities("value-quantity"),
            _quantities("combo-value-quantity"),
            _missing("date", "date", "value-quantity", "component-code", "subject", "performer", "combo-value-quantity"),
        ),
        [("date", "date"), ("quantity", "value-quantity"), ("quantity", "combo-value-quantity"), ("", "_lastUpdated")],
    ),
    "Condition": (
        st.one_of(
            _any_of("token", "code", ("I10", "E11", "urn:local|I10"), NOT),
            _any_of("reference", "patient", WHO),
            _dates("onset-date"),
            _dates("recorded-date"),
            _dates("abatement-date"),
            _missing("date", "onset-date", "recorded-date", "abatement-date", "code"),
        ),
        [("date", "onset-date"), ("date", "recorded-date"), ("date", "abatement-date"), ("", "_id")],
    ),
    "Appointment": (
        st.one_of(_any_of("reference", "patient", WHO), _any_of("token", "status", ("booked", "arrived"), NOT)),
        [("", "_lastUpdated"), ("", "_id")],
    ),
}


@st.composite
def searches(draw: st.DrawFn) -> tuple[str, list[Part], list[tuple[str, str, bool]], int, str]:
    """Draw a type, up to three parameters, an order, a page size and a wish for a total."""
    rtype = draw(st.sampled_from(sorted(TYPES)))
    parts, keys = TYPES[rtype]
    chosen = draw(st.lists(parts, max_size=3))
    order = draw(st.lists(st.sampled_from(keys), max_size=2, unique=True))
    sort = [(kind, name, draw(st.booleans())) for kind, name in order]
    return rtype, chosen, sort, draw(st.sampled_from((3, 7, 200))), draw(st.sampled_from(("", "accurate", "none")))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(asked=searches(), who=st.sampled_from(("house", "east", "west", "steward")))
async def test_search_equals_the_plain_search(
    record: Record, corpus: Corpus, asked: tuple[str, list[Part], list[tuple[str, str, bool]], int, str], who: str
) -> None:
    rtype, parts, sort, count, total = asked
    seen = visible(who)
    expected = [
        own for own in corpus.search(rtype, parts, sort) if who == "house" or all(name in seen for name in patients_of(corpus, own))
    ]
    query = [part.written for part in parts] + [("_count", str(count))]
    if sort:
        query.append(("_sort", ",".join(f"{'-' if descending else ''}{name}" for _, name, descending in sort)))
    if total:
        query.append(("_total", total))
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await record.store.search(getattr(record, who), rtype, query + ([("_cursor", cursor)] if cursor else []))
        assert page.total in ((len(expected),) if total == "accurate" else (None, len(expected)))
        assert len(page.entries) <= count
        found += [entry.id for entry in page.entries]
        cursor = page.next_cursor
    assert found == expected


def visible(who: str) -> set[str]:
    """Return the source patients a scope sees."""
    towns = {"east": (EAST,), "west": (WEST,), "steward": (EAST, WEST), "house": (EAST, WEST)}[who]
    linked = {own for own, person in PERSONS.items() if any(low <= AREAS[person] <= high for low, high in towns)}
    return linked | (set(PATIENTS) - PERSONS.keys() if who == "steward" else set())


def patients_of(corpus: Corpus, own: str) -> set[str]:
    """Return every patient a resource names, itself if it is one."""
    each = next(kept for kept in corpus.kept if kept.resource["id"] == own)
    named = {target for _, kind, target in each.values.references if kind == "Patient"}
    return named | ({own} if each.resource["resourceType"] == "Patient" else set())
