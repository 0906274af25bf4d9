"""A line of target numbers is read, or refused in words that say what to write."""

from __future__ import annotations

import pytest

from xinglin.base.errors import IncorrectError
from xinglin.engines.rules import TargetLine, read_line, read_targets_csv

GOOD = {"year": "2026", "area": "420999101000", "institution": "E1", "programme": "hypertension", "target": "1,200", "source": "文件"}


def test_a_line_is_read() -> None:
    assert read_line(GOOD, "line 2") == TargetLine(2026, 420999101000, "E1", "hypertension", 1200, "文件")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("year", "26"),
        ("area", "4209"),
        ("area", "青石镇"),
        ("programme", "flu"),
        ("target", "-3"),
        ("target", "九十"),
        ("target", "3.5"),
        ("source", " "),
    ],
)
def test_a_wrong_cell_is_named_with_its_line(column: str, value: str) -> None:
    with pytest.raises(IncorrectError) as refused:
        read_line({**GOOD, column: value}, "line 7")
    assert refused.value.where == column and "line 7" in refused.value.en


def test_a_file_is_read_with_its_mark_and_refused_without_its_columns() -> None:
    head = ",".join(GOOD)
    content = f"\ufeff{head}\n2026,420999101000,,elderly,75,文件\n".encode()
    assert read_targets_csv(content) == [TargetLine(2026, 420999101000, "", "elderly", 75, "文件")]
    with pytest.raises(IncorrectError, match="source"):
        read_targets_csv(b"year,area,institution,programme,target\n")
    with pytest.raises(IncorrectError, match="UTF-8"):
        read_targets_csv("年度".encode("gb18030"))
