"""Samples for the exchange demonstration: the newest days as bundles, a village's follow-ups and the upper-level platform's list as Excel, bad lines."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import orjson
import xlsxwriter

from xinglin.synthetic.emission import COUNTY_HIS, TOWNSHIP_HIS, Emission
from xinglin.synthetic.numbers import COUNTY
from xinglin.synthetic.plan import iso

NEWEST_DAYS: Final = 3
SHEET_DAYS: Final = 35
ROSTER_DAYS: Final = (28, 12)
"""The days whose follow-ups were reported and stand in the upper-level platform's list: from, until, in days before the day of data."""
_ROSTER: Final = ("姓名", "身份证号", "随访日期", "随访方式", "血压(mmHg)", "服药依从性", "此次随访分类", "下次随访日期", "随访医生")
_TYPED_WRONG: Final = 10
"""What the platform's clerk added to the systolic pressure, mmHg, in the first line and in every _EACHth after it."""
_EACH: Final = 25
_HEADINGS: Final = ("序号", "姓名", "身份证号", "随访日期", "随访方式", "症状", "血压(mmHg)", "体重kg", "心率", "服药依从性", "药物名称1", "用法1", "此次随访分类", "下次随访日期", "随访医生")  # fmt: skip
_WAYS: Final = {1: ("1门诊", "门诊", "1"), 2: ("2家庭", "家庭", "2"), 3: ("3电话", "电话", "3")}
_ADHERENCE: Final = {1: "1规律", 2: "2间断", 3: "3不服药"}
_FULL_WIDTH: Final = str.maketrans("0123456789/", "０１２３４５６７８９／")

# (resource or raw text, reason expected): lines a gate refuses; invented, nobody's record
_DAMAGED: Final[tuple[tuple[dict[str, Any] | str, str], ...]] = (
    ({"resourceType": "Patient", "id": "TX0001", "name": [{"text": "测试甲"}], "gender": "male", "birthDate": "1962-02-31"}, "31 February"),
    (
        {"resourceType": "Patient", "id": "TX0002", "name": [{"text": "测试乙"}], "gender": "男", "birthDate": "1970-05-06"},
        "gender is not a code of R4",
    ),
    ({"resourceType": "Patient", "id": "TX0003", "name": "测试丙", "gender": "female"}, "name is not a list"),
    (
        {
            "resourceType": "Observation",
            "id": "TX0004",
            "status": "final",
            "code": {"text": "收缩压"},
            "valueQuantity": {"value": "一百三十"},
        },
        "value is not a number",
    ),
    (
        {"resourceType": "Encounter", "id": "TX0005", "status": "finished", "class": {"code": "AMB"}, "visitDate": "2026-11-20"},
        "unknown element",
    ),
    ({"resourceType": "Visit", "id": "TX0006"}, "no such resource type"),
    ('{"resourceType":"Patient","id":"TX0007","name":[{"text":"测试', "line cut off"),
)


def write_damaged(into: Emission) -> None:
    """Add lines that every gate should refuse, with the reason told in `truth/damaged.ndjson`."""
    path = f"{TOWNSHIP_HIS}/0900-damaged.ndjson"
    lines = [(line if isinstance(line, str) else orjson.dumps(line).decode()) + "\n" for line, _ in _DAMAGED]
    into.files[path] = bytearray("".join(lines).encode("utf-8"))
    for number, (_, reason) in enumerate(_DAMAGED, start=1):
        into.line("truth/damaged.ndjson", {"file": path, "line": number, "reason": reason})


def write_bundles(newest: Sequence[tuple[int, dict[str, Any]]], into: Emission) -> None:
    """Add one transaction bundle per day of what the county hospital sent last, under `exchange/`."""
    for day in sorted({day for day, _ in newest}):
        entries = [
            {
                "fullUrl": f"https://{COUNTY_HIS}.invalid/fhir/{r['resourceType']}/{r['id']}",
                "resource": r,
                "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"},
            }
            for held, r in newest
            if held == day
        ]
        bundle = {"resourceType": "Bundle", "type": "transaction", "timestamp": f"{iso(day)}T23:30:00+08:00", "entry": entries}
        into.files[f"exchange/{COUNTY_HIS}/{iso(day)}.json"] = bytearray(orjson.dumps(bundle))


def write_sheet(rows: Sequence[dict[str, Any]], into: Emission) -> None:
    """Add the village's follow-ups as a doctor sends them: codes with and without words, dates in three manners, full-width digits."""
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    book.set_properties({"title": f"{COUNTY} 高血压随访登记", "created": datetime(2020, 1, 1)})
    sheet = book.add_worksheet("高血压随访")
    sheet.merge_range(0, 0, 0, len(_HEADINGS) - 1, "高血压患者随访登记表（虚构数据）")
    dates = book.add_format({"num_format": "yyyy-mm-dd"})
    sheet.write_row(1, 0, _HEADINGS)
    for place, row in enumerate(rows):
        for column, value in enumerate(_cells(place, row)):
            if isinstance(value, datetime):
                sheet.write_datetime(place + 2, column, value, dates)
            else:
                sheet.write(place + 2, column, value)
    book.close()
    into.files["exchange/hypertension-followups.xlsx"] = bytearray(content.getvalue())


def write_roster(rows: Sequence[dict[str, Any]], into: Emission) -> None:
    """Add the list of a township's follow-ups as the upper-level platform gives it out; some pressures were typed wrong there.

    Without a follow-up there is no list.
    """
    if not rows:
        return
    content = io.BytesIO()
    book = xlsxwriter.Workbook(content, {"in_memory": True})
    book.set_properties({"title": f"{COUNTY} 高血压随访（上级平台）", "created": datetime(2020, 1, 1)})
    sheet = book.add_worksheet("高血压随访")
    sheet.write_row(0, 0, _ROSTER)
    for place, row in enumerate(rows):
        systolic = row["systolic"] + (0 if place % _EACH else _TYPED_WRONG)
        cells = (
            *(row["name"], row["id_number"], iso(row["day"]), _WAYS[row["way"]][0], f"{systolic}/{row['diastolic']}"),
            *(_ADHERENCE[row["adherence"]], str(row["outcome"] or ""), iso(row["next_day"]), row["doctor"]),
        )
        sheet.write_row(place + 1, 0, cells)
    book.close()
    into.files["exchange/upper-level-followups.xlsx"] = bytearray(content.getvalue())


def _cells(place: int, row: dict[str, Any]) -> list[Any]:
    pressure = f"{row['systolic']}/{row['diastolic']}" if row["systolic"] else ""
    number = row["id_number"].lower() if place % 5 == 1 else "'" + row["id_number"] if place % 5 == 3 else row["id_number"]
    return [
        place + 1, row["name"], number, _date(place, row["day"]), _WAYS[row["way"]][place % 3], "1", pressure.translate(_FULL_WIDTH) if place % 4 == 2 else pressure,
        row["weight"] if row["way"] != 3 else "", row["heart_rate"] if row["way"] != 3 else "", _ADHERENCE[row["adherence"]], row["drug"][0],
        f"每日{row['drug'][1]}次 每次{row['drug'][2]:g}{row['drug'][3]}" if row["drug"][0] else "", row["outcome"] or "", _date(place + 1, row["next_day"]), row["doctor"],
    ]  # fmt: skip


def _date(place: int, day: int) -> Any:
    text = iso(day)
    return (datetime.fromisoformat(text), text.replace("-", ""), text.replace("-", "."))[place % 3]
