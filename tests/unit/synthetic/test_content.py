"""What the record of the district says: contract, work lists, dirt with its truth, cases, stories."""

from __future__ import annotations

from collections import Counter
from typing import Any

import fastexcel
import orjson

from tests.unit.synthetic.conftest import District
from xinglin.engines.geo import read_geojson, read_population_csv
from xinglin.fhir import validate
from xinglin.synthetic.numbers import check_digit

ID_NUMBER = "urn:oid:2.16.156.10011.1.3"


def identifier(patient: dict[str, Any], system: str) -> str | None:
    return next((i["value"] for i in patient["identifier"] if i["system"] == system), None)


def answers(response: dict[str, Any]) -> dict[str, Any]:
    return {i["linkId"]: next(iter(i["answer"][0].values())) for i in response["item"] if "answer" in i}


def code(value: dict[str, Any]) -> str:
    return value["code"]


def test_a_follow_up_is_an_encounter_with_readings_form_and_medicines_that_agree(small: District) -> None:
    stage = small.lines("base-platform/0005-*.ndjson")
    encounters = {r["id"]: r for r in stage if r["resourceType"] == "Encounter"}
    pressures = {
        r["encounter"]["reference"]: r for r in stage if r["resourceType"] == "Observation" and code(r["code"]["coding"][0]) == "85354-9"
    }
    responses = [r for r in stage if r["resourceType"] == "QuestionnaireResponse" and r["status"] == "completed"]
    assert len(responses) > 100
    for response in responses:
        encounter = encounters[response["encounter"]["reference"].removeprefix("Encounter/")]
        said = answers(response)
        assert said["visit_date"] == encounter["period"]["start"][:10]
        assert code(said["way"]) == {"AMB": "1", "HH": "2", "VR": "3"}[encounter["class"]["code"]]
        if "systolic" in said:
            parts = pressures[f"Encounter/{encounter['id']}"]["component"]
            assert [p["valueQuantity"]["value"] for p in parts] == [said["systolic"], said["diastolic"]]
        assert encounter["episodeOfCare"]


def test_the_outcome_class_follows_the_limits_by_age(demo: District) -> None:
    births = {r["id"]: r for r in demo.lines("base-platform/0001-*.ndjson")}
    seen: Counter[tuple[bool, bool, str]] = Counter()
    untrue = {line["id"] for line in demo.lines("truth/damage.ndjson") if "wrong_birth_day" in line["damage"]}
    for response in demo.lines("base-platform/0005-*.ndjson", "QuestionnaireResponse"):
        if "hypertension" not in response["questionnaire"]:
            continue
        said, patient = answers(response), response["subject"]["reference"].removeprefix("Patient/")
        if "outcome_class" not in said or patient in untrue or code(said["outcome_class"]) not in "12":
            continue
        birth, day = births[patient]["birthDate"], said["visit_date"]
        age = int(day[:4]) - int(birth[:4]) - (day[5:] < birth[5:])
        good = said["systolic"] < (150 if age >= 65 else 140) and said["diastolic"] < 90
        seen[age >= 65, good, code(said["outcome_class"])] += 1
    assert {(old, good, c) for old, good, c in seen} == {
        (old, good, "1" if good else "2") for old in (True, False) for good in (True, False)
    }


def test_every_work_list_has_content(demo: District) -> None:
    latest: dict[str, tuple[str, dict[str, Any]]] = {}
    for response in demo.lines("base-platform/0005-*.ndjson", "QuestionnaireResponse"):
        if response["status"] == "completed":
            key = response["subject"]["reference"] + response["questionnaire"]
            latest[key] = max(latest.get(key, ("", {})), (response["authored"], answers(response)), key=lambda pair: pair[0])
    due = Counter(
        "today" if s["next_visit_date"] == "2026-11-21" else "overdue" if s["next_visit_date"] < "2026-11-21" else "later"
        for _, s in latest.values()
    )
    assert due["today"] >= 1 and due["overdue"] >= 20 and due["later"] >= 100
    assert sum(s.get("outcome_class", {}).get("code") == "2" and at[:10] >= "2026-11-07" for at, s in latest.values()) >= 5
    tasks = demo.lines("base-platform/0006-*.ndjson", "Task")
    assert sum(t["status"] == "requested" and t["authoredOn"] >= "2026-11-07" for t in tasks) >= 2
    assert len(demo.lines("base-platform/0005-*.ndjson", "Task")) >= 3


def test_true_id_numbers_are_valid_unique_and_of_unassigned_areas(demo: District) -> None:
    numbers = [line["id_number"] for line in demo.lines("truth/persons.ndjson")]
    assert len(set(numbers)) == len(numbers) > 5000
    assert {n[:6] for n in numbers} == {"420999", "420998", "429998"}
    assert all(check_digit(n[:17]) == n[17] for n in numbers)


def test_damage_is_told_exactly(demo: District) -> None:
    truth = {(line["source"], line["id"]): set(line["damage"]) for line in demo.lines("truth/damage.ndjson")}
    persons = {(r["source"], r["id"]): line for line in demo.lines("truth/persons.ndjson") for r in line["records"]}
    for source in ("base-platform", "county-his", "township-his", "immunization"):
        for patient in demo.lines(f"{source}/0001-*.ndjson"):
            told = truth.get((source, patient["id"]), set())
            number = identifier(patient, ID_NUMBER)
            spoiled = told & {"missing_id", "wrong_check", "swapped_digits", "placeholder_name"}
            assert bool(spoiled) == (number != persons[source, patient["id"]]["id_number"])
            assert (patient["gender"] == "unknown") == ("unknown_sex" in told)


def test_one_resident_stands_in_several_sources(demo: District) -> None:
    sources = Counter(len({r["source"] for r in line["records"]}) for line in demo.lines("truth/persons.ndjson"))
    assert sources[2] > 500 and sources[3] > 2000
    assert sum(line["damage"].count("duplicated_file") for line in demo.lines("truth/damage.ndjson")) >= 50


def test_authenticity_cases_are_in_the_record(demo: District) -> None:
    encounters = {r["id"]: r for r in demo.lines("base-platform/0005-*.ndjson", "Encounter")}
    deaths = {r["id"]: r["deceasedDateTime"] for r in demo.lines("base-platform/0001-*.ndjson") if "deceasedDateTime" in r}
    cases = Counter(line["case"] for line in demo.lines("truth/authenticity.ndjson"))
    assert set(cases) == {"same_reading_three_times", "visit_after_death", "visit_during_admission", "over_60_visits_a_day"}
    after = [line for line in demo.lines("truth/authenticity.ndjson") if line["case"] == "visit_after_death"]
    assert all(encounters[line["encounter"]]["period"]["start"][:10] > deaths[line["patient"]] for line in after)
    told = {line["encounter"] for line in after}
    for name, encounter in encounters.items():
        patient = encounter["subject"]["reference"].removeprefix("Patient/")
        assert name in told or encounter["period"]["start"][:10] <= deaths.get(patient, "9999")
    busy = Counter((e["participant"][0]["individual"]["identifier"]["value"], e["period"]["start"][:10]) for e in encounters.values())
    assert busy.most_common(1)[0][1] > 60 > busy.most_common(2)[1][1]


def test_the_stories_are_as_told(demo: District) -> None:
    stories = {story["id"]: story for story in demo.manifest.stories}
    episodes = demo.lines("base-platform/0003-*.ndjson")
    enrolled = {
        name: [
            e
            for e in episodes
            if e["patient"]["reference"] == f"Patient/{s['patient']}" and e["type"][0]["coding"][0]["code"] == "hypertension"
        ]
        for name, s in stories.items()
    }
    assert not enrolled["newly_diagnosed"]
    assert [e["status"] for e in enrolled["moved_out_and_back"]] == ["finished", "active"]
    assert enrolled["died_in_may"][0]["extension"][0]["valueCode"] == "died"
    assert enrolled["died_in_may"][0]["period"]["end"] == "2026-05-12"
    persons = {r["id"]: line for line in demo.lines("truth/persons.ndjson") for r in line["records"] if r["source"] == "base-platform"}
    mine = {r["id"] for r in persons[stories["newly_diagnosed"]["patient"]]["records"] if r["source"] == "county-his"}
    found = [
        c
        for c in demo.lines("county-his/0002-*.ndjson")
        if c["resourceType"] == "Condition" and c["subject"]["reference"].removeprefix("Patient/") in mine
    ]
    assert any(c["code"]["text"] == "高血压病" and c["recordedDate"] == "2026-11-01" for c in found)
    assert stories["other_town"]["township"] != stories["elder"]["township"]


def test_damaged_lines_are_refused_and_only_those(demo: District) -> None:
    raw = (demo.folder / "township-his/0900-damaged.ndjson").read_bytes().splitlines()
    assert len(raw) == len(demo.lines("truth/damaged.ndjson"))
    for line in raw[:-1]:
        assert validate(orjson.loads(line)), line


def test_divisions_and_population_load_into_geo(demo: District) -> None:
    divisions = read_geojson((demo.folder / "divisions.geojson").read_bytes())
    levels = Counter(d.level for d in divisions)
    assert levels["county"] == 1 and levels["town"] == 3 and levels["village"] >= 12
    figures = read_population_csv((demo.folder / "population.csv").read_bytes())
    latest = sum(f.count for f in figures if f.year == 2026)
    assert 4700 <= latest <= 5300
    assert {f.area for f in figures} == {d.area for d in divisions if d.level == "village"}


def test_villages_do_not_overlap_and_fill_the_county(demo: District) -> None:
    divisions = read_geojson((demo.folder / "divisions.geojson").read_bytes())

    def size(ring: list[list[float]]) -> float:
        return abs(sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:], strict=False))) / 2

    villages = sum(size(d.polygon["coordinates"][0]) for d in divisions if d.level == "village" and d.polygon)
    county = next(size(d.polygon["coordinates"][0]) for d in divisions if d.level == "county" and d.polygon)
    assert abs(villages / county - 1) < 0.001


def test_the_excel_is_what_a_doctor_sends(demo: District) -> None:
    sheet = fastexcel.read_excel(demo.folder / "exchange/hypertension-followups.xlsx").load_sheet(0, header_row=1).to_arrow()
    assert sheet.num_rows >= 2
    assert "血压(mmHg)" in sheet.schema.names and "身份证号" in sheet.schema.names


def test_the_upper_level_platform_lists_a_township_with_some_pressures_typed_wrong(demo: District) -> None:
    rows = fastexcel.read_excel(demo.folder / "exchange/upper-level-followups.xlsx").load_sheet(0).to_arrow().to_pylist()
    numbers = {p["id"]: {one["value"] for one in p.get("identifier", [])} for p in demo.lines("base-platform/000*.ndjson", "Patient")}
    told = set()
    for form in demo.lines("base-platform/0005-followups.ndjson", "QuestionnaireResponse"):
        found = {item["linkId"]: item["answer"][0] for item in form["item"] if item.get("answer")}
        if "hypertension" in form["questionnaire"] and "systolic" in found:
            pressure = tuple(int(found[link]["valueDecimal"]) for link in ("systolic", "diastolic"))
            told |= {(number, form["authored"][:10], pressure) for number in numbers[form["subject"]["reference"].partition("/")[2]]}
    over = []
    for row in rows:
        upper, lower = map(int, row["血压(mmHg)"].split("/"))
        key = (row["身份证号"], row["随访日期"])
        over.append(next((more for more in (0, 10) if (*key, (upper - more, lower)) in told), None))
    known = [(place % 25 == 0, more) for place, more in enumerate(over) if more is not None]
    assert len(known) > 0.8 * len(rows) and (True, 10) in known
    assert all(more == (10 if wrong else 0) for wrong, more in known)


def test_the_bundles_carry_what_the_ndjson_does_not_under_names_of_the_same_kind(demo: District) -> None:
    sent = {f"{r['resourceType']}/{r['id']}" for r in demo.lines("county-his/000*.ndjson")}
    bundles = [orjson.loads(path.read_bytes()) for path in sorted((demo.folder / "exchange/county-his").glob("*.json"))]
    entries = [entry for bundle in bundles for entry in bundle["entry"]]
    assert len(bundles) == 3 and len(entries) == demo.manifest.tallies["held_back"]
    for entry in entries:
        resource = entry["resource"]
        name = f"{resource['resourceType']}/{resource['id']}"
        assert name not in sent and entry["fullUrl"].endswith(name) and entry["request"] == {"method": "PUT", "url": name}
        assert resource["subject"]["reference"] in sent
    assert not [p for bundle in bundles for p in validate(bundle) if p.severity == "error"]


def test_institutions_differ_and_the_truth_says_how(demo: District) -> None:
    clinics = [line for line in demo.lines("truth/institutions.ndjson") if line["class"] == "D600"]
    for trait in ("diligence", "control_mmhg", "late", "round_digits"):
        values = [clinic[trait] for clinic in clinics]
        assert max(values) - min(values) > 0.05, trait


def test_target_numbers_stand_per_township_programme_and_year(demo: District) -> None:
    head, *rows = (demo.folder / "tasks.csv").read_text("utf-8").splitlines()
    assert head == "year,area,institution,programme,target,source"
    assert len({tuple(row.split(",")[:4]) for row in rows}) == len(rows) == 5 * 3 * 4
