"""A district lived on: same bytes, whole references, nothing of the past changed but by what happened since, figures that go on as they were."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.unit.synthetic.conftest import DEMO, SMALL, District
from tests.unit.synthetic.test_generate import hashes, literal_references
from xinglin.base.errors import IncorrectError
from xinglin.engines.geo import read_population_csv
from xinglin.fhir import validate
from xinglin.synthetic import Plan, advance, generate, plan_of

A, B, C = SMALL.as_of, date(2026, 12, 21), date(2027, 4, 30)
Book = dict[tuple[str, str, str], dict[str, Any]]
SENT = "*/000*.ndjson"


def lines_of(folder: Path) -> Iterable[tuple[tuple[str, str, str], dict[str, Any]]]:
    for path in sorted(folder.glob(SENT)):
        for line in path.read_bytes().splitlines():
            resource = orjson.loads(line)
            yield (path.parent.name, resource["resourceType"], resource["id"]), resource


def record(*folders: Path) -> Book:
    """Return the record as it stands once the folders have been loaded one after the other, with what goes out as bundles."""
    book: Book = {}
    for folder in folders:
        book.update(lines_of(folder))
        for bundle in sorted(folder.glob("exchange/*/*.json")):
            sent = [entry["resource"] for entry in orjson.loads(bundle.read_bytes())["entry"]]
            book.update({(bundle.parent.name, one["resourceType"], one["id"]): one for one in sent})
    return book


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The small district lived from A to B, from B to C, and from A to C."""
    root = tmp_path_factory.mktemp("lived")
    days = {"ab": (A, B), "bc": (B, C), "ac": (A, C)}
    for name, span in days.items():
        advance(SMALL, span, root / name)
    return {name: root / name for name in days}


def test_the_district_itself_is_as_it_was_before_it_could_be_lived_on(tmp_path: Path) -> None:
    manifest = generate(Plan(residents=300, seed=3, as_of=date(2028, 2, 29)), tmp_path)
    told = [file["sha256"] for file in manifest.files if not file["path"].endswith(".xlsx")]
    assert hashlib.sha256("".join(told).encode()).hexdigest() == "ad89a07b1c05b2a009ffb143f6db581f14a749eb765bec04eddae3d840369ad2"


def test_two_workers_write_the_same_days_as_one(lived: dict[str, Path], tmp_path: Path) -> None:
    advance(replace(SMALL, workers=2), (A, B), tmp_path)
    assert hashes(tmp_path) == hashes(lived["ab"])


def test_in_two_steps_or_in_one_the_record_ends_the_same(small: District, lived: dict[str, Path]) -> None:
    assert record(small.folder, lived["ab"], lived["bc"]) == record(small.folder, lived["ac"])


def test_a_folder_tells_what_is_there_and_whose_it_is(small: District, lived: dict[str, Path]) -> None:
    manifest = orjson.loads((lived["ab"] / "manifest.json").read_bytes())
    found = hashes(lived["ab"])
    del found["manifest.json"]
    assert {file["path"]: file["sha256"] for file in manifest["files"]} == found
    assert (manifest["as_of"], manifest["since"], manifest["until"]) == ("2026-11-21", "2026-11-21", "2026-12-21")
    assert manifest["resources"] == len(list(lines_of(lived["ab"])))
    assert plan_of(small.folder) == SMALL


def test_every_line_is_new_or_differs_from_what_stood_and_no_name_comes_twice(small: District, lived: dict[str, Path]) -> None:
    standing = record(small.folder)
    for name in ("ab", "bc"):
        seen = Counter(key for key, _ in lines_of(lived[name]))
        assert seen and set(seen.values()) == {1}
        for key, resource in lines_of(lived[name]):
            assert standing.get(key) != resource, key
        standing.update(record(lived[name]))


def test_only_what_goes_on_is_changed(small: District, lived: dict[str, Path]) -> None:
    before = record(small.folder)
    changed = {key[1] for key, _ in lines_of(lived["ac"]) if key in before}
    goes_on = {"Patient", "Group", "EpisodeOfCare", "ServiceRequest", "Task", "CarePlan", "Encounter", "QuestionnaireResponse"}
    assert changed and changed <= goes_on
    for key, now in lines_of(lived["ac"]):
        if key in before and key[1] in ("Encounter", "QuestionnaireResponse"):
            assert before[key]["status"] == "in-progress", "only a follow-up to be completed changes"
        if key in before and key[1] == "Patient":
            fixed = ("name", "identifier", "birthDate", "gender")
            assert [before[key].get(name) for name in fixed] == [now.get(name) for name in fixed]


def test_resources_are_valid_and_their_references_resolve(small: District, lived: dict[str, Path]) -> None:
    whole = record(small.folder, lived["ac"])
    for key, resource in lines_of(lived["ac"]):
        assert not [p for p in validate(resource) if p.severity == "error"], key
        for reference in literal_references(resource):
            kind, name = reference.split("/")
            assert (key[0], kind, name) in whole, (key, reference)


def test_what_is_new_became_known_in_the_days_lived_and_nothing_lies_after_them(small: District, lived: dict[str, Path]) -> None:
    before = record(small.folder)
    for key, resource in lines_of(lived["ab"]):
        entered = [e["valueDateTime"] for e in resource.get("extension", ()) if e["url"] == "urn:xinglin:ext:entered-on"]
        dates = [
            str(resource.get(name, ""))
            for name in ("effectiveDateTime", "authored", "recordedDate", "authoredOn", "issued", "occurrenceDateTime")
        ]
        dates += [resource.get("period", {}).get(name, "") for name in (("start", "end") if key[1] == "Encounter" else ("start",))]
        assert max(text[:10] for text in [*dates, *entered]) <= B.isoformat(), key
        if key not in before and key[1] == "Encounter":
            known = max(entered[0] if entered else resource["period"]["end"], resource["period"]["end"])
            assert known[:10] > A.isoformat(), key


def test_no_id_number_and_no_record_number_is_given_twice(small: District, lived: dict[str, Path]) -> None:
    truth = [line for folder in (small.folder, lived["ac"]) for line in District(folder, small.manifest).lines("truth/persons.ndjson")]
    owners: dict[str, set[int]] = {}
    for line in truth:
        owners.setdefault(line["id_number"], set()).add(line["person"])
    assert all(len(persons) == 1 for persons in owners.values())
    names = Counter((r["source"], r["id"]) for line in truth for r in line["records"])
    assert max(names.values()) == 1
    assert len({line["person"] for line in truth}) > len({line["person"] for line in small.lines("truth/persons.ndjson")}), "somebody came"


def test_a_new_year_brings_residents_and_target_numbers(lived: dict[str, Path]) -> None:
    assert not (lived["ab"] / "population.csv").exists()
    figures = read_population_csv((lived["bc"] / "population.csv").read_bytes())
    assert {figure.year for figure in figures} == {2027} and 520 <= sum(figure.count for figure in figures) <= 680
    assert {row.split(",")[0] for row in (lived["bc"] / "tasks.csv").read_text("utf-8").splitlines()[1:]} == {"2027"}


@pytest.mark.parametrize("days", [(A, A), (B, A), (A - timedelta(days=1), B)])
def test_days_out_of_order_are_refused(days: tuple[date, date], tmp_path: Path) -> None:
    with pytest.raises(IncorrectError, match="write a first day"):
        advance(SMALL, days, tmp_path / "x")


# --- the demonstration district thirty days on: figures go on as they were


@pytest.fixture(scope="module")
def day_of_data(demo: District) -> Book:
    return record(demo.folder)


@pytest.fixture(scope="module")
def month(day_of_data: Book, tmp_path_factory: pytest.TempPathFactory) -> Book:
    folder = tmp_path_factory.mktemp("month")
    advance(DEMO, (DEMO.as_of, DEMO.as_of + timedelta(days=30)), folder)
    return day_of_data | record(folder)


def kind_of(resource: dict[str, Any], name: str = "type") -> str:
    return str(resource[name][0]["coding"][0]["code"])


def answered(response: dict[str, Any]) -> dict[str, Any]:
    return {item["linkId"]: item["answer"][0] for item in response["item"] if item.get("answer")}


def standing(book: Book, day: str) -> tuple[float, float]:
    """Return the share of people enrolled for hypertension who are overdue on a day, and the share controlled at the last visit of a year."""
    seen: dict[str, list[tuple[str, str, str]]] = {}
    for (source, kind, _), one in book.items():
        if kind == "QuestionnaireResponse" and "hypertension" in one["questionnaire"] and one["status"] == "completed":
            visit = book[source, "Encounter", one["encounter"]["reference"].removeprefix("Encounter/")]
            entered = next(e["valueDateTime"] for e in visit["extension"] if e["url"] == "urn:xinglin:ext:entered-on")
            if max(one["authored"], entered)[:10] <= day:
                told = answered(one)
                grade = told.get("outcome_class", {}).get("valueCoding", {}).get("code", "")
                seen.setdefault(one["subject"]["reference"], []).append((one["authored"][:10], told["next_visit_date"]["valueDate"], grade))
    last = {who: max(visits) for who, visits in seen.items()}
    enrolled = [
        one["patient"]["reference"]
        for (_, kind, _), one in book.items()
        if kind == "EpisodeOfCare" and kind_of(one) == "hypertension" and one["period"]["start"] <= day < one["period"].get("end", "9999")
    ]
    a_year_ago = f"{int(day[:4]) - 1}{day[4:]}"
    overdue = sum(who not in last or last[who][1] < day for who in enrolled)
    controlled = sum(who in last and last[who][0] > a_year_ago and last[who][2] == "1" for who in enrolled)
    return overdue / len(enrolled), controlled / len(enrolled)


def test_thirty_days_on_as_many_are_overdue_and_controlled_as_before(month: Book) -> None:
    (overdue_then, controlled_then), (overdue, controlled) = (standing(month, day) for day in ("2026-11-21", "2026-12-21"))
    assert abs(overdue - overdue_then) < 0.09, (overdue_then, overdue)
    assert abs(controlled - controlled_then) < 0.06, (controlled_then, controlled)


def test_the_month_after_has_as_many_visits_as_the_months_before(month: Book) -> None:
    months = [(date(2026, 8, 23) + timedelta(days=30 * n)).isoformat() for n in range(5)]
    counts: Counter[tuple[str, int]] = Counter()
    for (_, kind, _), one in month.items():
        if kind == "Encounter" and one["status"] == "finished":
            at = sum(one["period"]["start"][:10] >= begin for begin in months) - 1
            counts[kind_of(one), at] += 1
    for service, tolerance in (("outpatient", 0.15), ("followup-hypertension", 0.25), ("followup-diabetes2", 0.35), ("inpatient", 0.5)):
        before = sum(counts[service, at] for at in range(3)) / 3
        assert abs(counts[service, 3] / before - 1) < tolerance, (service, before, counts[service, 3])


def test_people_are_born_die_move_and_are_enrolled_while_referrals_are_answered(month: Book, day_of_data: Book) -> None:
    before = day_of_data
    new = [one for key, one in month.items() if key not in before]
    changed = [(before[key], one) for key, one in month.items() if key in before and before[key] != one]
    assert any(one["resourceType"] == "Patient" and one["birthDate"] > "2026-11-21" for one in new)
    assert any(one["resourceType"] == "EpisodeOfCare" for one in new) and any(one["resourceType"] == "Immunization" for one in new)
    assert any("deceasedDateTime" in now and "deceasedDateTime" not in then for then, now in changed)
    assert any(
        now["resourceType"] == "EpisodeOfCare" and (then["status"], now["status"]) == ("active", "finished") for then, now in changed
    )
    assert any(now["resourceType"] == "ServiceRequest" and now["status"] == "completed" for _, now in changed)


def test_residents_with_a_script_are_left_to_whoever_plays_them(month: Book, day_of_data: Book, demo: District) -> None:
    played = {f"Patient/{story['patient']}" for story in demo.manifest.stories}
    for key, one in month.items():
        if day_of_data.get(key) != one and key[0] == "base-platform" and key[1] in ("Encounter", "EpisodeOfCare", "ServiceRequest", "Task"):
            assert not played & set(literal_references(one)), key
