"""Code systems are loaded with their source, and maps between them are facts somebody entered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import orjson
import pytest

from xinglin.base.clock import FixedClock
from xinglin.base.database import Database
from xinglin.base.errors import ConflictError, ForbiddenError, IncorrectError, NotFoundError
from xinglin.engines.security import AuditEntry, Scope, Scopes
from xinglin.engines.terminology import (
    CodeSystem,
    Concept,
    NewMapping,
    Terminology,
    ValueSetMember,
    read_code_system,
    read_concept_csv,
    read_mapping_csv,
)
from xinglin.fhir import CodeOracle, validate

URL = "urn:xinglin:cs:test-diagnosis"
LOCAL = "urn:xinglin:cs:test-local"
SYSTEM = CodeSystem(URL, "1", "测试诊断", "Test diagnoses", True, "made up for tests")
CONCEPTS = [
    Concept(URL, "I10-I15", "高血压病", "Hypertensive diseases"),
    Concept(URL, "I10", "特发性高血压", "Essential hypertension", "I10-I15"),
    Concept(URL, "I10.x00", "高血压1级", "Hypertension grade 1", "I10"),
    Concept(URL, "I11", "高血压性心脏病", "Hypertensive heart disease", "I10-I15", False),
]
FACT = NewMapping(LOCAL, "38341003x", URL, "I10", "equivalent", "steward's decision of 2026-11-21")


class Kept:
    """An audit log that keeps entries in a list."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []

    async def promise(self, connection: object, entry: AuditEntry) -> AuditEntry:
        return entry

    async def record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)


@pytest.fixture
def log() -> Kept:
    return Kept()


@pytest.fixture
async def terminology(database_url: str, zone: ZoneInfo, log: Kept) -> AsyncIterator[Terminology]:
    database = await Database.open(database_url, zone=zone, size=2)
    async with database.connection() as connection:
        await connection.execute("truncate code_system, concept, value_set_member, concept_map")
    yield Terminology(database, log, FixedClock(datetime(2026, 11, 21, 2, tzinfo=UTC), zone))
    await database.close()


@pytest.fixture
def steward() -> Scope:
    return Scopes.system_scope("stewardship")


@pytest.fixture
def reader(steward: Scope) -> Scope:
    """The same scope without the right to steward."""
    return steward.narrowed(rights=steward.rights - {"steward"})


async def test_a_system_is_loaded_once_and_says_what_changed(terminology: Terminology, steward: Scope, log: Kept) -> None:
    assert await terminology.load(steward, SYSTEM, CONCEPTS) == 4
    assert await terminology.load(steward, SYSTEM, CONCEPTS) == 0
    renamed = [*CONCEPTS[:2], Concept(URL, "I10.x00", "高血压 1 级", "Hypertension grade 1", "I10")]
    # One renamed; I11 was inactive already, so its leaving the list changes nothing.
    assert await terminology.load(steward, SYSTEM, renamed) == 1
    assert (await terminology.lookup(URL, "I10.x00")).display_zh == "高血压 1 级"
    assert [entry.action for entry in log.entries] == ["load"] * 3


async def test_a_code_that_leaves_the_list_stays_inactive(terminology: Terminology, steward: Scope) -> None:
    await terminology.load(steward, SYSTEM, CONCEPTS)
    assert await terminology.load(steward, SYSTEM, CONCEPTS[:2]) == 1
    assert not (await terminology.lookup(URL, "I10.x00")).is_active


async def test_only_a_steward_loads_or_maps(terminology: Terminology, steward: Scope, reader: Scope) -> None:
    await terminology.load(steward, SYSTEM, CONCEPTS)
    (number,) = await terminology.maps.enter(steward, [FACT])
    for attempt in (
        terminology.load(reader, SYSTEM, CONCEPTS),
        terminology.load_value_set(reader, "urn:vs", []),
        terminology.maps.enter(reader, [FACT]),
        terminology.maps.end(reader, number, "wrong"),
    ):
        with pytest.raises(ForbiddenError):
            await attempt


async def test_a_system_needs_a_source_and_its_own_concepts(terminology: Terminology, steward: Scope) -> None:
    with pytest.raises(IncorrectError):
        await terminology.load(steward, CodeSystem(URL, "1", "a", "a", True, " "), CONCEPTS)
    with pytest.raises(IncorrectError):
        await terminology.load(steward, SYSTEM, [Concept(LOCAL, "1", "别的")])


@pytest.mark.parametrize(
    ("system", "code", "display", "is_valid"),
    [
        (URL, "I10", None, True),
        (URL, "I10", "essential HYPERTENSION", True),
        (URL, "I10", "特发性高血压", True),
        (URL, "I10", "感冒", False),
        (URL, "I11", None, True),
        (URL, "Z99", None, False),
        (LOCAL, "1", None, None),
        ("urn:unknown", "1", None, None),
    ],
)
async def test_a_code_is_valid_invalid_or_not_known(
    system: str, code: str, display: str | None, is_valid: bool | None, terminology: Terminology, steward: Scope
) -> None:
    await terminology.load(steward, SYSTEM, CONCEPTS)
    await terminology.load(steward, CodeSystem(LOCAL, "1", "部分", "Partial", False, "made up"), [Concept(LOCAL, "9", "其他")])
    assert (await terminology.validate(system, code, display)).is_valid is is_valid


async def test_concepts_are_found_by_code_name_and_place(terminology: Terminology, steward: Scope) -> None:
    await terminology.load(steward, SYSTEM, CONCEPTS)
    assert [concept.code for concept in await terminology.search(URL, "i10")] == ["I10", "I10-I15", "I10.x00"]
    assert [concept.code for concept in await terminology.search(URL, "高血压1")] == ["I10.x00"]
    assert await terminology.search(URL, "%") == ()
    assert [concept.code for concept in await terminology.descendants(URL, "I10-I15")] == ["I10", "I10.x00", "I11"]
    found = await terminology.displays([(URL, "I10"), (URL, "none"), (LOCAL, "I10")])
    assert [concept.display_zh for concept in found.values()] == ["特发性高血压"]
    with pytest.raises(NotFoundError):
        await terminology.lookup(URL, "none")


async def test_a_map_is_a_fact_with_who_when_and_ground(terminology: Terminology, steward: Scope) -> None:
    (number,) = await terminology.maps.enter(steward, [FACT])
    assert await terminology.maps.enter(steward, [FACT]) == ()
    (mapping,) = await terminology.maps.translate(LOCAL, "38341003x", URL)
    assert (mapping.map_no, mapping.fact, mapping.entered_by) == (number, FACT, 0) and mapping.entered_at.year == 2026
    with pytest.raises(ConflictError):
        await terminology.maps.enter(steward, [NewMapping(LOCAL, "38341003x", URL, "I10", "narrower", "another source")])
    with pytest.raises(IncorrectError):
        await terminology.maps.end(steward, number, " ")
    await terminology.maps.end(steward, number, "entered by mistake")
    assert await terminology.maps.translate(LOCAL, "38341003x", URL) == ()
    with pytest.raises(NotFoundError):
        await terminology.maps.end(steward, number, "again")
    await terminology.maps.enter(steward, [NewMapping(LOCAL, "38341003x", URL, "I10", "narrower", "another source")])
    assert [each.end_reason for each in await terminology.maps.history(LOCAL, "38341003x")] == ["entered by mistake", None]


async def test_a_wrong_map_in_a_list_enters_none(terminology: Terminology, steward: Scope) -> None:
    for wrong in (
        NewMapping(LOCAL, "2", URL, "I10", "same", "x"),  # type: ignore[arg-type]
        NewMapping(LOCAL, "2", URL, "I10", "equal", ""),
        NewMapping(URL, "I10", URL, "I10", "equal", "x"),
    ):
        with pytest.raises(IncorrectError):
            await terminology.maps.enter(steward, [FACT, wrong])
    assert await terminology.maps.open() == ()


async def test_a_record_counts_under_an_equal_or_wider_code_only(terminology: Terminology, steward: Scope) -> None:
    content = "source_system,source_code,target_system,target_code,equivalence,source\n" + "".join(
        f"{LOCAL},{code},{URL},{target},{equivalence},decision 7\n"
        for code, target, equivalence in (
            ("1", "I10", "equal"),
            ("2", "I10-I15", "wider"),
            ("3", "I10.x00", "narrower"),
            ("1", "I10-I15", "subsumes"),
        )
    )
    await terminology.maps.enter(steward, read_mapping_csv(content.encode()))
    assert await terminology.maps.usable(URL) == {(LOCAL, "1"): ("I10", "I10-I15"), (LOCAL, "2"): ("I10-I15",)}


async def test_value_sets_answer_what_validation_asks(terminology: Terminology, steward: Scope) -> None:
    await terminology.load(steward, SYSTEM, CONCEPTS)
    await terminology.load(steward, CodeSystem(LOCAL, "1", "部分", "Partial", False, "made up"), [Concept(LOCAL, "9", "其他")])
    members = [ValueSetMember("urn:vs", URL, None, "x"), ValueSetMember("urn:vs", "urn:other", "a", "x")]
    assert await terminology.load_value_set(steward, "urn:vs", members) == 2
    await terminology.load_value_set(steward, "urn:partial", [ValueSetMember("urn:partial", LOCAL, None, "x")])
    oracle: CodeOracle = await terminology.value_sets()
    asked = {
        ("urn:vs|4.0.1", URL, "I10"): True,
        ("urn:vs", None, "I10"): True,
        ("urn:vs", "urn:other", "a"): True,
        ("urn:vs", None, "a"): True,
        ("urn:vs", URL, "a"): False,
        ("urn:vs", "urn:other", "b"): False,
        ("urn:partial", LOCAL, "1"): None,
        ("urn:partial", URL, "I10"): False,
        ("urn:nobody", URL, "I10"): None,
    }
    assert {question: oracle.is_member(*question) for question in asked} == asked
    with pytest.raises(IncorrectError):
        await terminology.load_value_set(steward, "urn:vs", [ValueSetMember("urn:vs", URL, "I10", "")])


async def test_media_types_and_languages_are_checked_by_their_grammar(terminology: Terminology) -> None:
    oracle = await terminology.value_sets()
    for code, holds in (("text/plain; charset=UTF-8", True), ("image/svg+xml", True), ("text", False), ("a b/c", False)):
        assert oracle.is_member("http://hl7.org/fhir/ValueSet/mimetypes|4.0.1", None, code) is holds, code
    for code, holds in (("zh", True), ("zh-Hans-CN", True), ("en-US", True), ("x-own", True), ("chinese!", False), ("z", False)):
        assert oracle.is_member("http://hl7.org/fhir/ValueSet/all-languages", "urn:ietf:bcp:47", code) is holds, code
    binary = {"resourceType": "Binary", "contentType": "no media type"}
    assert validate(binary) == [] and [problem.path for problem in validate(binary, oracle=oracle)] == ["Binary.contentType"]


def test_a_fhir_code_system_is_read_with_its_tree() -> None:
    resource = {
        "resourceType": "CodeSystem",
        "url": URL,
        "version": "2",
        "title": "Test",
        "content": "complete",
        "concept": [
            {
                "code": "a",
                "display": "Alpha",
                "designation": [{"language": "zh-CN", "value": "甲"}],
                "concept": [{"code": "a1"}, {"code": "a2", "property": [{"code": "status", "valueCode": "retired"}]}],
            }
        ],
    }
    system, concepts = read_code_system(orjson.dumps(resource), source="made up")
    assert (system.version, system.is_complete, system.source) == ("2", True, "made up")
    assert concepts == [Concept(URL, "a", "甲", "Alpha"), Concept(URL, "a1", "a1", "a1", "a"), Concept(URL, "a2", "a2", "a2", "a", False)]


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b'{"resourceType": "ValueSet", "url": "x"}',
        b'{"resourceType": "CodeSystem"}',
        b'{"resourceType": "CodeSystem", "url": "x", "concept": [{}]}',
        b'{"resourceType": "CodeSystem", "url": "x", "concept": [{"code": "a"}, {"code": "a"}]}',
    ],
)
def test_a_wrong_code_system_is_refused(content: bytes) -> None:
    with pytest.raises(IncorrectError):
        read_code_system(content, source="x")


def test_a_table_may_be_gb18030_and_its_errors_name_the_line() -> None:
    content = "code,display_zh,parent,active\nA,甲,,1\nB,乙,A,0\n"
    assert [concept.is_active for concept in read_concept_csv(content.encode("gb18030"), SYSTEM)] == [True, False]
    for wrong, words in (("code,display_zh\nA,\n", "line 2"), ("code\nA\n", "display_zh"), ("code,display_zh,parent\nA,甲,Z\n", "parent")):
        with pytest.raises(IncorrectError, match=words):
            read_concept_csv(wrong.encode(), SYSTEM)
    with pytest.raises(IncorrectError, match="line 2"):
        read_mapping_csv(b"source_system,source_code,target_system,target_code,equivalence,source\na,1,b,2,same,x\n")
