"""Whatever bytes come, the reader answers with a reading or a refusal in words; positions stay inside the text."""

from __future__ import annotations

import orjson
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from xinglin.base.errors import XinglinError
from xinglin.modules.plan.reading import Reading, read_document, reading_data

ENDINGS = st.sampled_from(["a.txt", "a.md", "a.html", "a.htm", "a.docx", "a.pdf", "a", ""])
SHREDS = [
    "类别 指标名称 2020年 2025年 属性",
    "指标\t2020年\t2025年",
    "| 指标 | 2020年 | 2025年 |",
    "<table><tr><td rowspan='3'>指标</td><td colspan=99>2020年</td>",
    "</table>",
    "序号 项目名称 项目单位 建设性质 开工时间 床位",
    "婴儿死亡率（‰） 3.1 ≤3 预期性",
    "其中：基层（张） 1 2",
    "到2025年，签约率达到80%以上，",
    "百分之、八成、万分之",
    "专栏1 项目",
    "01 ",
    "一、",
    "（一）",
    "1.",
    "（责任单位：",
    "注：*",
    "— 12 —",
    "\u00a0\u2002",
    "年均增",
    "长 10%",
    "99999999999999999999999.99%",
    "≥≥≤",
    "（（（",
    "$\\geq",
    "ꎬ􀆰ꎮ",
    "𠮷",
    "\u0000",
]


def checked(data: bytes, name: str) -> None:
    try:
        reading = read_document(data, name)
    except XinglinError as error:
        assert error.zh
        assert error.en
        return
    assert_sound(reading)


def assert_sound(reading: Reading) -> None:
    last = len(reading.lines)
    for spans in (reading.indicators, reading.tasks, reading.projects, reading.boxes, reading.footnotes):
        assert all(1 <= one.from_line <= one.to_line <= last for one in spans)
    assert all(1 <= use.line <= last for use in reading.coverage.unused)
    assert all(one.name for one in reading.indicators)
    assert len({one.fingerprint for one in reading.indicators}) == len(reading.indicators)
    orjson.dumps(reading_data(reading))


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=400), ENDINGS)
@example(b"%PDF-1.4\n", "a.pdf")
@example(b"PK\x03\x04" + bytes(40), "a.docx")
def test_random_bytes_never_crash(data: bytes, name: str) -> None:
    checked(data, name)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.sampled_from([b"%PDF-1.7\n", b"PK\x03\x04", b"\xff\xfe", b"\xef\xbb\xbf", b"<html>", b"<table><tr>"]),
    st.binary(max_size=300),
    ENDINGS,
)
def test_promising_beginnings_never_crash(start: bytes, rest: bytes, name: str) -> None:
    checked(start + rest, name)


@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(st.one_of(st.sampled_from(SHREDS), st.text(max_size=25)), max_size=40),
    st.sampled_from(["\n", "\n\n", " ", "\t", ""]),
    st.sampled_from(["a.txt", "a.md", "a.html"]),
)
def test_shreds_of_plans_never_crash(pieces: list[str], glue: str, name: str) -> None:
    checked(glue.join(pieces).encode("utf-8", "surrogatepass"), name)
