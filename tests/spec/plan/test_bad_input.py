"""Bad input gets clear words and never a crash: scans, passwords, cut files, other kinds, several plans in one gazette."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import docx
import pytest

from xinglin.base.errors import Category, XinglinError
from xinglin.modules.plan.command import plan_read_command
from xinglin.modules.plan.reading import PRINTED_KEYS, read_document

from . import paper

LINES = ["河东县“十四五”健康规划", "指标 2020年 2025年", "婴儿死亡率（‰） 3.1 ≤3", "一、任务", "（一）强基层。到2025年，建成社区医院3个。"]


def refusal(data: bytes, filename: str) -> XinglinError:
    with pytest.raises(XinglinError) as caught:
        read_document(data, filename)
    assert caught.value.zh
    assert caught.value.en
    return caught.value


def test_a_scan_names_ocr_as_the_way() -> None:
    error = refusal(paper.scanned_pdf(), "scan.pdf")
    assert error.category is Category.INCORRECT
    assert "OCR" in error.zh
    assert "OCR" in error.en
    assert read_document(paper.pdf_of(LINES), "plan.pdf").indicators


def test_a_word_file_of_pictures_alone_names_ocr_too() -> None:
    empty = paper.saved(docx.Document())
    held = io.BytesIO(empty)
    with zipfile.ZipFile(held, "a") as archive:
        archive.writestr("word/media/image1.png", b"\x89PNG")
    assert "OCR" in refusal(held.getvalue(), "scan.docx").zh
    assert "空" in refusal(empty, "empty.docx").zh


def test_a_pdf_packed_in_a_way_nobody_reads_is_not_called_damaged() -> None:
    content = paper.pdf_of(LINES).replace(b"/Length", b"/Filter /OtherDecode /Length")
    assert b"/OtherDecode" in content
    assert "打印为 PDF" in refusal(content, "plan.pdf").zh


def test_a_password_is_named_for_pdf_and_word() -> None:
    assert "密码" in refusal(paper.locked_pdf(LINES, "secret"), "plan.pdf").zh
    compound = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
    assert "密码" in refusal(compound + "EncryptedPackage".encode("utf-16-le"), "plan.docx").zh
    old = refusal(compound, "plan.docx")
    assert (old.http_status, ".doc）" in old.zh) == (415, True)
    assert read_document(paper.locked_pdf(LINES, ""), "plan.pdf").indicators


def test_a_word_file_that_unpacks_to_more_than_the_limit_is_refused_before_it_is_read() -> None:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive, archive.open("word/document.xml", "w") as part:
        for _ in range(401):
            part.write(b" " * (1024 * 1024))
    error = refusal(held.getvalue(), "bomb.docx")
    assert (error.http_status, "400 MB" in error.zh) == (413, True)


@pytest.mark.parametrize("cut", [20, 200, 700])
def test_cut_files_are_damaged(cut: int) -> None:
    word = paper.word_with_merged_head()
    assert refusal(word[: len(word) - cut * 10], "plan.docx").category is Category.INCORRECT
    assert refusal(paper.pdf_of(LINES)[:cut], "plan.pdf").category is Category.INCORRECT


@pytest.mark.parametrize(
    ("data", "name"), [(b"", "a.txt"), (b" \r\n\t ", "a.md"), (b"\x00" * 300, "a.txt"), (b"<html><body></body></html>", "a.html")]
)
def test_empty_files_say_so(data: bytes, name: str) -> None:
    assert "空" in refusal(data, name).zh


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "a.png"),
        (bytes(range(256)) * 20, "a.txt"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "a.doc"),
        (b"PK\x03\x04", "a.xlsx"),
    ],
)
def test_other_kinds_say_what_to_save_as(data: bytes, name: str) -> None:
    assert refusal(data, name).http_status == 415
    error = refusal(data, name)
    assert error.category in {Category.UNSUPPORTED, Category.INCORRECT}


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(XinglinError) as caught:
        read_document(tmp_path / "none.txt")
    assert caught.value.category is Category.NOT_FOUND


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "gb18030"])
def test_every_encoding_of_the_same_text_reads_alike(encoding: str) -> None:
    reading = read_document("\n".join(LINES).encode(encoding), "plan.txt")
    assert [(one.name, one.target_value) for one in reading.indicators] == [("婴儿死亡率", 3.0), ("社区医院", 3.0)]
    assert reading.lines == tuple(LINES)


def test_a_plan_without_a_table_says_so_and_reads_its_text() -> None:
    reading = read_document("\n".join([LINES[0], *LINES[3:]]).encode(), "plan.txt")
    assert [one.origin for one in reading.indicators] == ["text"]
    assert any("没有找到指标表" in notice for notice in reading.notices)


GAZETTE = """北塔区人民政府公报 2022年第3期

北塔区“十四五”卫生健康规划
一、目标
指标	2020年	2025年
婴儿死亡率（‰）	2.8	≤2.7
二、任务
（一）强基层。到2025年，建成2个社区医院。

北塔区“十五五”养老服务规划
一、目标
指标	2025年	2030年
护理型床位占比（%）	35	55
二、任务
（一）扩供给。到2030年，新增养老床位500张。

北塔区“十四五”卫生健康规划
一、目标
指标	2020年	2025年
婴儿死亡率（‰）	2.8	≤2.6
二、任务
（一）强基层。到2025年，建成3个社区医院。
"""


def test_a_gazette_holds_several_plans_two_of_one_title() -> None:
    reading = read_document(GAZETTE.encode(), "gazette.txt")
    assert [(part.title, part.horizon) for part in reading.plans] == [
        ("北塔区“十四五”卫生健康规划", 2025),
        ("北塔区“十五五”养老服务规划", 2030),
        ("北塔区“十四五”卫生健康规划", 2025),
    ]
    rows = [(one.plan, one.name, one.target_year, one.target_value) for one in reading.indicators if one.origin == "table"]
    assert rows == [(0, "婴儿死亡率", 2025, 2.7), (1, "护理型床位占比", 2030, 55.0), (2, "婴儿死亡率", 2025, 2.6)]
    assert [(one.plan, one.name, one.target_value) for one in reading.indicators if one.origin == "text"] == [
        (0, "社区医院", 2),
        (1, "养老床位", 500),
        (2, "社区医院", 3),
    ]
    assert [finding.rule for finding in reading.findings] == ["same-title-twice"]


def test_the_command_prints_a_table_or_json_and_refuses_in_words(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    import orjson

    path = tmp_path / "plan.txt"
    path.write_text("\n".join(LINES), encoding="utf-8")
    assert plan_read_command(path, True) == 0
    data = orjson.loads(capfdbinary.readouterr().out)
    assert data["indicators"][0]["name"] == "婴儿死亡率"
    assert list(data) == ["indicators", "tasks", "projects", "findings"]
    assert all(tuple(one) == PRINTED_KEYS for one in data["indicators"])
    assert plan_read_command(path, False) == 0
    shown = capfdbinary.readouterr().out.decode()
    assert "婴儿" in shown and "未用 not used" in shown
    scan = tmp_path / "scan.pdf"
    scan.write_bytes(paper.scanned_pdf())
    assert plan_read_command(scan, True) == 11
    assert "OCR" in capfdbinary.readouterr().err.decode()


@pytest.mark.parametrize("blank", [" \t", "\u3000 ", "\u00a0\t"])
def test_ever_so_many_blanks_of_several_kinds_hold_nothing_up(blank: str) -> None:
    read = read_document("\n".join([*LINES, f"尾{blank * 100_000}注"]).encode(), "plan.txt")
    assert read.indicators == read_document("\n".join(LINES).encode(), "plan.txt").indicators != ()
