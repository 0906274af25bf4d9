"""The documentation holds together: links lead somewhere, commands exist, the glossary has the words of the pages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from xinglin.cli import app

ROOT = Path(__file__).resolve().parents[3]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "src").rglob("README.md"), *(ROOT / "bench").rglob("*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
# The words the district's systems are asked to use, as they stand on pages.
TERMS = [
    "居民健康档案",
    "建档",
    "常住居民",
    "户籍",
    "重点人群",
    "纳入管理",
    "在管",
    "终止管理",
    "失访",
    "迁出",
    "随访",
    "面对面随访",
    "应访",
    "已访",
    "逾期",
    "补录",
    "控制满意",
    "控制不满意",
    "此次随访分类",
    "规范管理率",
    "管理人群血压控制率",
    "人群控制率",
    "健康管理率",
    "任务数",
    "健康体检",
    "体检反馈单",
    "生活自理能力评估",
    "中医体质辨识",
    "家庭医生签约",
    "履约",
    "续签",
    "双向转诊",
    "首诊测血压",
    "医防融合",
    "基层医疗卫生机构",
    "村卫生室",
    "约束性",
    "预期性",
    "数据截至",
    "待处理",
    "真实性核查",
    "主档案",
    "剔除及原因",
    "指标",
]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_link_leads_to_a_file(page: Path) -> None:
    text = re.sub(r"```.*?```|`[^`]*`", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = [target.split("#")[0] for target in LINK.findall(text) if not target.startswith(("http://", "https://", "mailto:", "#"))]
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_the_glossary_has_the_words_of_the_pages() -> None:
    chinese = " ".join(row.split("|")[2] for row in (ROOT / "GLOSSARY.md").read_text(encoding="utf-8").splitlines() if row.count("|") > 3)
    assert [term for term in TERMS if term not in chinese] == []


def test_every_command_a_page_names_exists() -> None:
    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    named = {
        (page.name, word)
        for page in PAGES
        for word in re.findall(r"^ *(?:`|)xinglin ([a-z-]+)", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    }
    assert named and {each for each in named if each[1] not in known} == set()


def test_the_index_names_every_page_of_its_rooms() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = [page for room in ("how-to", "explanation", "tutorials") for page in (ROOT / "docs" / room).glob("*.md")]
    assert [page.name for page in pages if f"{page.parent.name}/{page.name}" not in index] == []
