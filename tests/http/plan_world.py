"""Invented plan documents, and how a test uploads one. No place in them is real."""

from __future__ import annotations

import re

from tests.http.signed_in import Person

TABLE = """月湖县“十五五”卫生健康事业发展规划

一、发展目标

到2030年，主要指标达到下表要求。

类别\t序号\t指标\t2024年\t2025年\t2030年\t属性
健康水平\t1\t人均预期寿命（岁）\t78.9\t79.2\t80.1\t预期性
\t2\t婴儿死亡率（‰）\t3.1\t2.9\t≤2.8\t约束性
健康服务\t3\t65岁及以上老年人健康管理率（%）\t60.5\t62.0\t≥75\t预期性
\t4\t管理人群高血压控制率（%）\t50\t55\t≥90\t预期性
\t5\t控制率（%）\t40\t45\t≥60\t预期性
卫生资源\t6\t每千人口医疗卫生机构床位数（张）\t6.8\t6.9\t7.2\t预期性

二、主要任务

（一）强基层。到2028年，建成区域医疗次中心4个。（责任单位：县卫生健康局、县财政局）

（二）办好县医院。加强重点专科建设，提升急诊急救能力。（责任单位：县人民医院）

（三）数字化。全县共享检查检验结果，2025年人均预期寿命为79.2岁。（责任单位：县卫生健康局）
"""


def document_number(address: str) -> int:
    """Return the number of the document an upload leads to."""
    found = re.search(r"/plans/documents/(\d+)", address)
    assert found, address
    return int(found[1])


async def upload(person: Person, text: str | bytes = TABLE, name: str = "月湖县规划.txt", replaces: int | None = None) -> int:
    """Upload a document and return its number."""
    content = text.encode() if isinstance(text, str) else text
    fields = {"replaces": str(replaces)} if replaces else {}
    answer = await person.post("/plans/upload", fields, files={"file": (name, content, "application/octet-stream")})
    return document_number(answer.headers["location"])


async def make(person: Person, document: int, part: int = 0, **fields: str) -> int:
    """Make a plan of a document and return its number."""
    told = {
        "part": str(part),
        "title": "月湖县“十五五”卫生健康事业发展规划",
        "level": "own",
        "area_name": "月湖县",
        "end_year": "2030",
    } | fields
    answer = await person.post(f"/plans/documents/{document}", told)
    found = re.search(r"/plans/(\d+)/review", answer.headers["location"])
    assert found, answer.headers["location"]
    return int(found[1])


async def table(person: Person, plan: int) -> dict[str, dict[str, object]]:
    """Return the plan's indicators by name, as the API tells them."""
    body = (await person.get(f"/plans/{plan}.json")).json()
    return {one["name"]: one for one in body["indicators"]}
