"""People with rows that mean nothing in particular: missing values, ties on one day, deaths, moves, several source patients, late entries."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from xinglin.definitions import LAKE, Kind, Reads

TODAY = date(2026, 11, 21)
ARROW = {Kind.BOOL: pa.bool_(), Kind.NUMBER: pa.float64(), Kind.DATE: pa.date32(), Kind.CODE: pa.string(), Kind.REF: pa.int64()}
CODES: dict[str, list[str]] = {
    "sex": ["1", "2", "9", "0"],
    "residence_status": ["resident", "moved_out"],
    "residence_type": ["1", "2"],
    "programme": ["hypertension", "diabetes2", "elderly"],
    "exit_reason": ["died", "moved_out", "lost", "diagnosis_corrected", "declined", "merged"],
    "way": ["1", "2", "3"],
    "class": ["AMB", "HH", "VR", "IMP"],
    "system": ["urn:oid:2.16.156.10011.2.3.3.11.3"],
    "clinical_status": ["active", "inactive", "resolved"],
    "verification_status": ["provisional", "confirmed", "entered-in-error"],
    "unit": ["mm[Hg]", "mmol/L"],
    "form": ["hypertension-followup", "diabetes2-followup", "health-examination"],
    "link_id": [
        "outcome_class",
        "adverse_reaction",
        "next_visit_date",
        "danger_signs",
        "complete",
        "guidance",
        "fasting_glucose",
        "referral_reason",
    ],
    "priority": ["routine", "urgent"],
    "drug": ["氨氯地平", "二甲双胍"],
    "vaccine": ["1", "2"],
}
TABLE_CODES: dict[tuple[str, str], list[str]] = {
    ("episode", "status"): ["active", "active", "finished", "entered-in-error"],
    ("encounter", "status"): ["finished", "finished", "finished", "in-progress", "entered-in-error"],
    ("encounter", "kind"): [
        "followup-hypertension",
        "followup-hypertension",
        "followup-diabetes2",
        "health-examination",
        "outpatient",
        "inpatient",
    ],
    ("blood_pressure", "status"): ["final", "final", "entered-in-error"],
    ("measurement", "status"): ["final", "final", "entered-in-error"],
    ("measurement", "code"): ["14771-0", "14771-0", "8867-4", "4548-4", "29463-7"],
    ("condition", "code"): ["I10", "I10.x00x002", "I11.900", "I15.0", "E11.900", "E14", "E10.9", "J44.9"],
    ("answer", "code"): ["1", "2", "3", "4"],
    ("request", "kind"): ["referral"],
    ("task", "kind"): ["referral-result", "complete-followup"],
    ("task", "status"): ["requested", "in-progress", "completed", "cancelled"],
    ("contract", "kind"): ["family-doctor", "family-doctor", "other"],
    ("contract", "status"): ["executed", "executed", "terminated"],
}
NUMBERS: dict[tuple[str, str], list[float]] = {
    ("blood_pressure", "systolic_mmhg"): [118, 139, 139.5, 140, 149, 150, 152, 179, 180, 200],
    ("blood_pressure", "diastolic_mmhg"): [70, 88, 89, 90, 94, 109, 110],
    ("measurement", "value"): [3.9, 4.0, 6.9, 7.0, 7.1, 11.1, 16.6, 16.7, 64, 105],
}
SPRING = date(2026, 6, 1)
DAYS = [
    TODAY,
    date(2026, 1, 1),
    date(2025, 12, 31),
    date(2026, 9, 30),
    date(2026, 10, 1),
    date(2026, 11, 7),
    date(2026, 8, 21),
    date(2024, 2, 29),
]


def make_people(seed: int, count: int) -> dict[int, dict[str, list[dict[str, Any]]]]:
    """Return person → table → rows. A person has one to three source patients; a rid stands once in a table, but for answers."""
    chance = random.Random(seed)
    rid = iter(range(1, 10_000_000))
    return {person: _person(chance, rid) for person in range(1, count + 1)}


def _person(chance: random.Random, rid: Any) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in LAKE}
    found["patient"] = [_row(chance, "patient", next(rid), found) for _ in range(chance.choice([1, 1, 1, 2, 3]))]
    for name in LAKE:
        for _ in range(chance.choice([0, 1, 2, 3, 6]) if name != "patient" else 0):
            number = found[name][-1]["rid"] if name == "answer" and found[name] and chance.random() < 0.3 else next(rid)
            found[name].append(_row(chance, name, number, found))
    if chance.random() < 0.5:
        _live(chance, rid, found)
    return found


def _live(chance: random.Random, rid: Any, found: dict[str, list[dict[str, Any]]]) -> None:
    """Add a life that makes sense: enrolled, perhaps let go, visited with a form, measured, sometimes examined or seen by a doctor."""
    programme = chance.choice(["hypertension", "diabetes2"])
    patient = found["patient"][0]
    patient |= {
        "birth_date": date(chance.choice([1955, 1961, 1980]), chance.randint(1, 12), 21),
        "death_date": None,
        "residence_status": "resident",
    }

    def add(table: str, **values: Any) -> int:
        row = dict.fromkeys(LAKE[table].columns) | {"rid": next(rid), "seq": 6, "patient": patient["rid"]} | values
        found[table].append(row | ({LAKE[table].time: None} if LAKE[table].time else {}))
        return int(row["rid"])

    end = {"status": "active"}
    if chance.random() < 0.15:
        end = {"status": "finished", "end_date": TODAY - timedelta(days=5), "exit_reason": chance.choice(CODES["exit_reason"])}
    start = chance.choice([date(2024, 5, 1), date(2026, 2, 1), date(2026, 10, 9)])
    add("episode", programme=programme, start_date=start, manager=70 + chance.randint(0, 3), **end)
    for _ in range(chance.randint(0, 6)):
        day = TODAY - timedelta(days=chance.choice([0, 3, 20, 60, 110, 200, 250, 320]))
        status = "finished" if chance.random() < 0.9 else "in-progress"
        visit = add("encounter", kind=f"followup-{programme}", status=status, start_date=day, way=chance.choice(["1", "2", "3", None]))
        if chance.random() < 0.8:
            _measure(chance, add, visit, day)
        if chance.random() < 0.7:
            _answer(chance, add, visit, day)
    if chance.random() < 0.4:
        exam = add("encounter", kind="health-examination", status=chance.choice(["finished", "finished", "in-progress"]), start_date=SPRING)
        add("answer", encounter=exam, link_id="complete", truth=chance.random() < 0.5, authored_on=SPRING)
    if chance.random() < 0.4:
        day = TODAY - timedelta(days=chance.choice([0, 2, 14, 15]))
        _measure(chance, add, add("encounter", kind=chance.choice(["outpatient", "emergency"]), status="finished", start_date=day), day)


def _measure(chance: random.Random, add: Any, visit: int, day: date) -> None:
    """Measure a blood pressure, now and then half of one or none, and a glucose, now and then in another unit."""
    reading = {"encounter": visit, "taken_on": day, "status": "final"}
    upper, lower = float(chance.choice([128, 139, 140, 149, 152, 181])), float(chance.choice([78, 89, 92]))
    present = chance.choice([(True, True)] * 8 + [(True, False), (False, True), (False, False)])
    add("blood_pressure", **reading, systolic_mmhg=upper if present[0] else None, diastolic_mmhg=lower if present[1] else None)
    value, unit = chance.choice([*((level, "mmol/L") for level in (3.9, 6.9, 7.0, 9.1, 9.1)), (126.0, "mg/dL")])
    add("measurement", **reading, code="14771-0", value=value, unit=unit)


def _answer(chance: random.Random, add: Any, visit: int, day: date) -> None:
    """Fill in what of the form the rules read, in one response."""
    form: dict[str, Any] = {
        "encounter": visit,
        "authored_on": chance.choice([day, TODAY]),
        "rid": add("answer", encounter=visit, link_id="way"),
    }
    add("answer", **form, link_id="outcome_class", code=chance.choice(["1", "1", "2", "2", "3", "3", "4", None]))
    add("answer", **form, link_id="adverse_reaction", code=chance.choice(["1", "1", "2"]))
    add("answer", **form, link_id="danger_signs", code=chance.choice(["1"] * 6 + ["2", "8"]))
    if chance.random() < 0.6:
        add("answer", **form, link_id="next_visit_date", date=day + timedelta(days=chance.choice([-3, 0, 7, 14, 15, 90])))


def _row(chance: random.Random, table: str, rid: int, found: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    row: dict[str, Any] = {"rid": rid, "seq": chance.randint(1, 5)}
    for name, column in LAKE[table].columns.items():
        if name in row:
            continue
        if name == "patient":
            row[name] = chance.choice(found["patient"])["rid"]
        elif column.kind is Kind.REF:
            others = found.get(column.target, [])
            row[name] = chance.choice(others)["rid"] if others and chance.random() < 0.9 else chance.choice([None, 77])
        else:
            row[name] = None if chance.random() < 0.12 else _value(chance, table, name, column.kind)
    if LAKE[table].time:
        row[LAKE[table].time] = None if chance.random() < 0.4 else datetime.combine(TODAY, time(chance.randint(7, 9)))
    return row


def _value(chance: random.Random, table: str, name: str, kind: Kind) -> Any:
    if kind is Kind.BOOL:
        return chance.random() < 0.5
    if kind is Kind.NUMBER:
        return float(chance.choice(NUMBERS.get((table, name), [0, 1, 2, 3])))
    if kind is Kind.DATE:
        if name == "birth_date":
            return chance.choice(
                [date(1961, 11, 21), date(1961, 11, 22), date(1960, 2, 29), TODAY - timedelta(days=chance.randint(0, 36000))]
            )
        if name in ("death_date", "moved_out_on", "end_date") and chance.random() < 0.6:
            return None
        return chance.choice([*DAYS, TODAY + timedelta(days=chance.randint(-700, 20))])
    return chance.choice(TABLE_CODES.get((table, name)) or CODES.get(name, ["active"]))


def read_alone(rows: Mapping[str, list[dict[str, Any]]], reads: Reads) -> dict[str, list[dict[str, Any]]]:
    """Return a person's rows without those that definitions do not read."""
    limits = dict(reads.limits)
    return {
        table: [row for row in rows.get(table, ()) if table not in limits or row[limits[table][0]] in limits[table][1]]
        for table in reads.tables
    }


def connect(people: Mapping[int, Mapping[str, list[dict[str, Any]]]]) -> duckdb.DuckDBPyConnection:
    """Return a DuckDB that holds the lake tables of these people and their links."""
    connection = duckdb.connect()
    links = [
        {"patient": row["rid"], "person": person, "from_seq": 1, "to_seq": None}
        for person, rows in people.items()
        for row in rows["patient"]
    ]
    columns = pa.schema([(name, pa.int64()) for name in ("patient", "person", "from_seq", "to_seq")])
    _load(connection, "person_link", pa.Table.from_pylist(links, schema=columns))
    homes = [
        {
            "person": person,
            "area": 420999101201 + 1000 * (person % 3) + person % 2,
            "institution": 9000 + person % 3,
            "from_seq": 1,
            "to_seq": None,
        }
        for person in people
        if person % 7
    ]
    columns = pa.schema([(name, pa.int64()) for name in ("person", "area", "institution", "from_seq", "to_seq")])
    _load(connection, "person_scope", pa.Table.from_pylist(homes, schema=columns))
    for name, table in LAKE.items():
        fields = [(column, ARROW[told.kind]) for column, told in table.columns.items()]
        fields += [(table.time, pa.timestamp("us"))] if table.time else []
        rows = [row for of_person in people.values() for row in of_person[name]]
        _load(connection, name, pa.Table.from_pylist(rows, schema=pa.schema(fields)))
    return connection


def _load(connection: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    connection.register("given", table)
    connection.execute(f'create table "{name}" as select * from given')
    connection.unregister("given")
