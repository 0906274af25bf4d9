"""The reference pages that are written from code: settings, commands, the FHIR interface, what is asked of PostgreSQL, queries written by hand."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import typer
import typer.main

from xinglin import __version__
from xinglin.base.settings import VARIABLES
from xinglin.definitions import reference_pages
from xinglin.engines.security import load_roles, role_page
from xinglin.fhir import capability_statement
from xinglin.web.fhir import offered

_SOURCE: Final = Path(__file__).resolve().parents[1]
_HEAD: Final = "<!-- Written by `xinglin docs` from {source}; change that, not this page. -->\n\n"


def pages(app: typer.Typer) -> dict[str, str]:
    """Return file name (relative to docs/reference) → text, of every page that is written from code."""
    return {
        **reference_pages(),
        "roles.md": role_page(load_roles()),
        "settings.md": settings_page(),
        "commands.md": commands_page(app),
        "fhir-interface.md": interface_page(),
        "postgresql.md": postgresql_page(_SOURCE),
        "hand-written-queries.md": hatches_page(_SOURCE),
    }


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |" for line in lines) + "\n"


def settings_page() -> str:
    """Return the page of environment variables."""
    rows = [(f"`{each.name}`", f"`{each.default}`" if each.default else "", f"{each.zh}<br>{each.en}") for each in VARIABLES]
    return (
        _HEAD.format(source="src/xinglin/base/settings.py")
        + "# 设置 Settings\n\n只从环境变量读取一次；写错时启动即被拒绝，并说明应写什么。\n"
        + "Read once from the environment; a wrong one is refused at start with what to write instead.\n\n"
        + _table(("变量 variable", "默认 default", "含义 meaning"), rows)
    )


def commands_page(app: typer.Typer) -> str:
    """Return the page of commands with their arguments and options; hidden commands belong to the processes themselves."""
    group = typer.main.get_command(app)
    parts = [
        _HEAD.format(source="src/xinglin/cli"),
        "# 命令 Commands\n\n",
        "退出码 exit codes: 0 成功 done · 2 用法错误 wrong usage · 10 定义 definition · 11 输入有误 incorrect · 12 没有 not found · 13 冲突 conflict · ",
        "14 无权 forbidden · 15 不支持 unsupported · 16 繁忙 busy · 17 不可用 unavailable · 18 故障 fault\n",
    ]
    for path, command in _leaves(group, "xinglin"):
        parts.append(f"\n## `{path}`\n\n{(command.help or '').strip()}\n")
        rows = [_parameter(each) for each in command.params if not getattr(each, "hidden", False) and each.name != "help"]
        if rows:
            parts.append("\n" + _table(("参数 parameter", "默认 default", "含义 meaning"), rows))
    return "".join(parts)


def _leaves(group: Any, path: str) -> Iterable[tuple[str, Any]]:
    for name, command in sorted(group.commands.items()):
        if command.hidden:
            continue
        if hasattr(command, "commands"):
            yield from _leaves(command, f"{path} {name}")
        else:
            yield f"{path} {name}", command


def _parameter(parameter: Any) -> tuple[str, str, str]:
    is_option = parameter.param_type_name == "option"
    name = " ".join((*parameter.opts, *parameter.secondary_opts)) if is_option else (parameter.name or "").upper()
    default = "" if parameter.default is None or callable(parameter.default) or parameter.default is False else str(parameter.default)
    needed = "必填 required. " if parameter.required else ""
    return f"`{name}`", f"`{default}`" if default else "", needed + (getattr(parameter, "help", None) or "")


def interface_page() -> str:
    """Return a summary of the CapabilityStatement that `GET /fhir/metadata` answers with."""
    statement = capability_statement(offered("http://127.0.0.1:8000/fhir", __version__, "2026-01-01"))
    rest = statement["rest"][0]
    common = _common(rest["resource"])
    rows = [(each["type"], _names(each.get("searchParam", ()), common)) for each in rest["resource"]]
    return (
        _HEAD.format(source="the CapabilityStatement")
        + f"# FHIR 接口 The FHIR interface\n\nFHIR {statement['fhirVersion']}，地址 `/fhir`，{' · '.join(statement['format'])}。"
        + "会话令牌放在 `Authorization: Bearer` 中。The session token goes into `Authorization: Bearer`.\n\n"
        + f"全系统 whole system: {', '.join(each['code'] for each in rest['interaction'])}\n\n"
        + f"每种资源 every type: {', '.join(each['code'] for each in rest['resource'][0]['interaction'])}; 版本 versioning: "
        + f"{rest['resource'][0]['versioning']}; conditional create, update, delete: yes\n\n"
        + f"共同的检索参数 parameters of every type: {', '.join(f'`{name}`' for name in common)}. 未知参数以 400 拒绝。An unknown one is refused with 400.\n\n"
        + _table(("资源 type", "检索参数 its own search parameters"), rows)
    )


def _common(resources: Sequence[Mapping[str, Any]]) -> list[str]:
    sets = [{each["name"] for each in resource.get("searchParam", ())} for resource in resources]
    return sorted(set.intersection(*sets))


def _names(parameters: Iterable[Mapping[str, Any]], common: Sequence[str]) -> str:
    return ", ".join(
        f"`{each['name']}` {each['type']}" for each in sorted(parameters, key=lambda each: each["name"]) if each["name"] not in common
    )


FEATURES: Final[tuple[tuple[str, str], ...]] = (
    ("identity columns", r"generated always as identity"),
    ("sequences", r"create sequence"),
    ("list partitions with a default partition", r"partition by list"),
    ("GIN index over an array", r"using gin"),
    ("BRIN index", r"using brin"),
    ("partial index", r"create (?:unique )?index [^;]*? where "),
    ("index with INCLUDE", r"create (?:unique )?index [^;]*?include \("),
    ("unique nulls not distinct (15)", r"nulls not distinct"),
    ('collation "C" of a column', r'collate "C"'),
    ("fillfactor", r"fillfactor"),
    ("arrays, any(), cardinality()", r"(?:bigint|text|smallint|integer)\[\]"),
    ("unnest of several arrays, with ordinality", r"with ordinality"),
    ("jsonb", r"\bjsonb\b"),
    ("insert ... on conflict", r"on conflict"),
    ("returning", r"\breturning\b"),
    ("common table expressions that write", r"\b(?:as|,)\s*\(\s*(?:insert into|delete from|update )"),
    ("materialized common table expressions", r"as materialized"),
    ("recursive common table expressions", r"with recursive"),
    ("distinct on", r"distinct on"),
    ("lateral joins", r"\blateral\b"),
    ("filter on aggregates", r"filter \(where"),
    ("is distinct from", r"is (?:not )?distinct from"),
    ("row comparison", r"\((?:r|s)\.\w+, (?:r|s)\.\w+[^)]*\) is distinct from"),
    ("select ... for update", r"for update"),
    ("lock table", r"lock table"),
    ("transaction and session advisory locks", r"pg_advisory"),
    ("listen and notify", r"pg_notify|add_listener"),
    ("functions in plpgsql, with settings of their own", r"language plpgsql"),
    ("functions in SQL", r"language sql"),
    ("temporary tables dropped at commit", r"on commit drop"),
    ("copy from standard input", r"copy_to_table|copy_records_to_table|\bcopy \w+.* from stdin"),
    ("sampled tables", r"tablesample"),
    ("truncate", r"(?<!\.)\btruncate\b"),
    ("gen_random_uuid()", r"gen_random_uuid"),
    ("hashtextextended()", r"hashtextextended"),
    ("convert_to", r"convert_to\("),
    ("to_char of an instant", r"to_char\("),
    ("vacuum, run outside a transaction", r"\bvacuum\b(?! )|vacuum \("),
)
_EXTENSION: Final = re.compile(r"create extension (?:if not exists )?(\w+)", re.IGNORECASE)


def postgresql_page(source: Path) -> str:
    """Return what a port to another server of the PostgreSQL family has to offer: feature and the folders that use it."""
    texts = {path: re.sub(r"--[^\n]*", "", path.read_text(encoding="utf-8")) for path in _sql_files(source)}
    found = []
    for name, pattern in FEATURES:
        used = {path.parent.relative_to(source).as_posix() for path, text in texts.items() if re.search(pattern, text, re.IGNORECASE)}
        if used:
            found.append((name, ", ".join(f"`{each}`" for each in sorted(used))))
    extensions = sorted({name for text in texts.values() for name in _EXTENSION.findall(text)})
    return (
        _HEAD.format(source="the migrations and the SQL in src/xinglin")
        + "# 用到的 PostgreSQL 功能 What is asked of PostgreSQL\n\n移植到 openGauss、金仓等时逐项核对。The list to go through before a port to another server.\n\n"
        + f"需要 17 或更新版本；扩展 extensions: {', '.join(extensions) or '无 none'}。\n\n"
        + _table(("功能 feature", "用到的文件夹 folders"), found)
    )


def _sql_files(source: Path) -> list[Path]:
    python = [path for room in ("base", "engines") for path in sorted((source / room).rglob("*.py")) if path.parent.name != "lake"]
    return [*sorted((source / "base" / "migrations").glob("*.sql")), *(path for path in python if _asks_database(path))]


def _asks_database(path: Path) -> bool:
    text = path.read_text(encoding="utf-8")
    return any(word in text for word in ("asyncpg", "base.database", "connection.fetch", "connection.execute"))


def hatches_page(source: Path) -> str:
    """Return the page of queries over columns that are written by hand, outside the algebra of definitions. source: src/xinglin."""
    views = sorted(path.stem for path in (source / "engines" / "lake" / "views").glob("*.json"))
    from_view = re.compile(rf"\b(?:from|join)\s+({'|'.join(views)})\b")
    rows = []
    for path in sorted(each for each in source.rglob("*.py") if "lake" not in each.parts):
        text = path.read_text(encoding="utf-8")
        read = {name for told in _texts(text) if "select" in told for name in from_view.findall(told)} if "columns" in text else set()
        if read:
            rows.append((f"`{path.relative_to(source).as_posix()}`", ", ".join(f"`{name}`" for name in sorted(read))))
    return (
        _HEAD.format(source="the SQL over columns in src/xinglin")
        + "# 手写的查询 Queries written by hand\n\n"
        + "指标、清单和规则都由定义编译而来；下列查询例外，只用于汇总，没有四种读法互相核对。\n"
        + "Measures, lists and rules are compiled from definitions. These queries are not: they are aggregates, and no second reading checks them.\n\n"
        + _table(("文件 file", "读的列 columns read"), rows)
    )


def _texts(source: str) -> list[str]:
    """Return the literal strings of a file, f-strings without what is put in."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.JoinedStr):
            found.append("".join(str(part.value) if isinstance(part, ast.Constant) else " " for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.append(node.value)
    return [text.lower() for text in found]
