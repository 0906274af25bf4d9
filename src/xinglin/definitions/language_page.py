"""The reference page of the expression language, written from the code: syntax, functions, nodes, tables and columns."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import getdoc

from xinglin.definitions import combine, nodes, parser, time_nodes
from xinglin.definitions.calls import FUNCTION_NAMES
from xinglin.definitions.lake_columns import LAKE
from xinglin.definitions.nodes import Node

_ABSTRACT = (Node, combine.Rows, combine.Drawn)


def node_kinds() -> Iterator[type[Node]]:
    """Yield every kind of node a definition may be made of, in the order of the code."""
    for module in (nodes, time_nodes, combine):
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, Node) and kind not in _ABSTRACT and kind.__module__ == module.__name__:
                yield kind


def language_page() -> str:
    """Return the page in Markdown."""
    kinds = list(node_kinds())
    syntax = (getdoc(parser) or "").split("\n\n", 1)[1]
    text = "# 定义的表达式 The expression language\n\n"
    text += "定义文件中的表达式由此语言写成，读成有类型的节点；写错时报出文件、行、列和该写什么。\n"
    text += "Expressions in definition files are read into typed nodes; a fault names file, line and column, and what to write.\n\n"
    text += f"{(getdoc(nodes) or '').split(chr(10) * 2, 1)[1]}\n\n## 写法 Syntax\n\n```\n{syntax}\n```\n\n"
    text += "代码写在单引号里 `'I10'`；日期 `2026-11-21`；`as_of` 是统计日；`missing` 是没有值；`# ...` 是注释。\n"
    text += "Codes stand in single quotes; `as_of` is the day of data; `missing` is no value; `# ...` is a comment.\n\n"
    text += "函数 Functions: " + ", ".join(f"`{name}`" for name in sorted(FUNCTION_NAMES)) + "\n\n"
    text += f"## 节点 Nodes ({len(kinds)})\n\n| node | |\n| --- | --- |\n"
    text += "".join(f"| `{kind.__name__}` | {_first(kind)} |\n" for kind in kinds)
    text += "\n## 表和列 Tables and columns\n\n| table | columns | order |\n| --- | --- | --- |\n"
    for table in LAKE.values():
        columns = " ".join(f"`{name}`:{column.target or column.kind}" for name, column in table.columns.items())
        text += f"| `{table.name}` | {columns} | {', '.join(table.order)} |\n"
    return text


def _first(kind: type[Node]) -> str:
    return " ".join((getdoc(kind) or "").split()).replace("|", "\\|")
