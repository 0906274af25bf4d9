"""A plan's table is read with names, bases, targets and positions, whatever its cells are parted by."""

from __future__ import annotations

from xinglin.modules.plan.reading import Indicator, read_document, reading_data

PIPES = """云溪县“十五五”卫生健康规划

一、主要指标

序号 | 指标名称 | 2023年（2024年） | 2028年 | 属性
12 | 每千人口注册护士数（人） | 2.10（2.25） | ≥3.0 | 预期性
13 | 婴儿死亡率（‰） | 3.1（2.9） | 2.8 | 约束性
"""


def only(text: str, filename: str = "plan.txt") -> list[Indicator]:
    return list(read_document(text.encode(), filename).indicators)


def test_the_invented_row_of_the_brief_is_read_exactly() -> None:
    nurse, infant = only(PIPES)
    assert (nurse.name, nurse.unit, nurse.kind) == ("每千人口注册护士数", "人", "expected")
    assert [(base.year, base.value) for base in nurse.bases] == [(2023, 2.10), (2024, 2.25)]
    assert (nurse.base_year, nurse.base_value) == (2024, 2.25)
    assert (nurse.target_year, nurse.target_op, nurse.target_value) == (2028, ">=", 3.0)
    assert (nurse.from_line, nurse.to_line, nurse.sure) == (6, 6, True)
    assert (infant.target_op, infant.kind) == ("<=", "binding")
    assert "方向" in infant.note


def test_the_json_has_the_four_lists_and_every_field() -> None:
    data = reading_data(read_document(PIPES.encode(), "plan.txt"))
    assert {"indicators", "tasks", "projects", "findings"} <= set(data)
    fields = "name parent category unit base_year base_value bases target_year target_op target_value target_high others kind owners origin from_line to_line sure note"
    assert set(fields.split()) <= set(data["indicators"][0])
