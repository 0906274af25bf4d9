"""Every command has help in both languages, and ends with the code of what went wrong and words about what to write."""

from __future__ import annotations

import asyncio
import gzip
import io
import json
import os
import re
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import orjson
import pytest
import typer.main
from rich.cells import cell_len
from typer import BadParameter
from typer.testing import CliRunner

from tests.district import HIS, open_district, resident
from xinglin.base.errors import EXIT_CODE
from xinglin.cli import app, main
from xinglin.cli.usage import told
from xinglin.engines.exchange import ImportOptions

RUNNER = CliRunner()


def leaves(group: Any, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return every command people may call."""
    found = []
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            found += leaves(command, (*path, name))
        elif not command.hidden:
            found.append((*path, name))
    return found


COMMANDS = leaves(typer.main.get_command(app))


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_says_in_both_languages_what_a_command_does(command: tuple[str, ...]) -> None:
    done = RUNNER.invoke(app, [*command, "--help"], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    assert any("一" <= letter <= "鿿" for letter in done.output) and "·" in done.output
    assert (
        "用法 · Usage: " in done.output
        and "选项 · Options" in done.output
        and "显示说明后退出 · Show this message and exit." in done.output
    )


@pytest.mark.parametrize("group", [(), ("quarantine",), ("codes",), ("plan",)], ids=" ".join)
def test_the_list_of_commands_is_headed_in_both_languages(group: tuple[str, ...]) -> None:
    told = RUNNER.invoke(app, [*group, "--help"], env={"COLUMNS": "200"}).output
    assert "用法 · Usage: " in told and "命令 · Commands" in told and "显示说明后退出" in told
    assert "参数 · Arguments" in RUNNER.invoke(app, ["quarantine", "show", "--help"], env={"COLUMNS": "200"}).output


def test_all_the_commands_are_there() -> None:
    wanted = {"serve", "demo", "import", "bench", "check", "docs", "where", "erase", "plan", "quarantine", "codes"}
    assert wanted <= {command[0] for command in COMMANDS}
    assert {("quarantine", name) for name in ("list", "show", "replay", "discard")} <= set(COMMANDS)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_an_unknown_option_is_wrong_usage(command: tuple[str, ...]) -> None:
    assert RUNNER.invoke(app, [*command, "--no-such-option"]).exit_code == 2


WRONG_USAGE = [
    ("frobnicate", "没有命令 frobnicate", "there is no command frobnicate"),
    ("quarantine lst", "没有命令 lst，是不是 'list'", "did you mean 'list'"),
    ("serve --prot 1", "没有选项 --prot，是不是 --port", "did you mean --port"),
    ("serve -x", "没有选项 -x", "there is no option -x"),
    ("serve --port x", "--port 请写 1 到 65535 之间的整数", "--port takes a whole number from 1 to 65535"),
    ("serve --port 0", "--port 请写 1 到 65535 之间的整数", "--port takes a whole number from 1 to 65535"),
    ("demo --residents 5", "--residents 请写 300 到 2000000 之间的整数", "from 300 to 2000000"),
    ("erase --person x", "--person 请写整数", "--person takes a whole number"),
    ("serve --port", "--port 后面要写它的值", "write a value after --port"),
    ("demo --fresh=1", "--fresh 后面不写值", "--fresh takes no value"),
    ("import", "缺少参数 path", "the argument path is missing"),
    ("quarantine discard 1", "缺少选项 --reason", "the option --reason is missing"),
    ("import a b", "多写了 b", "b is too much"),
]


@pytest.mark.parametrize(("words", "zh", "en"), WRONG_USAGE)
def test_wrong_usage_is_told_in_two_sentences_with_where_it_is_explained(words: str, zh: str, en: str) -> None:
    done = RUNNER.invoke(app, words.split(), prog_name="xinglin")
    usage, first, second = done.stderr.splitlines()
    assert done.exit_code == 2 and usage.startswith("用法 · Usage: xinglin")
    assert first.startswith(f"xinglin: {zh}") and first.endswith("--help 有说明")
    assert second.startswith("         ") and en in second and second.endswith("--help` explains it")


def test_wrong_usage_of_a_kind_nobody_knew_keeps_its_words() -> None:
    assert told(BadParameter("of a new kind")) == ("命令的写法不对", "Invalid value: of a new kind")


@dataclass(frozen=True)
class Done:
    """What a command said and how it ended."""

    returncode: int
    stdout: str
    stderr: str


def run(data: Path, url: str, *arguments: str, columns: int = 200) -> Done:
    """Run a command as people do, inside this process."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    settings = {"XINGLIN_DATA": str(data), "XINGLIN_DATABASE_URL": url, "COLUMNS": str(columns)}
    argv = mock.patch.object(sys, "argv", ["xinglin", *arguments])
    with mock.patch.dict(os.environ, settings), argv, redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


def refused(data: Path, url: str, code: str, says: str, *arguments: str) -> None:
    done = run(data, url, *arguments)
    wanted = next(number for category, number in EXIT_CODE.items() if category.value == code)
    assert done.returncode == wanted, (arguments, done.stdout[-400:], done.stderr[-800:])
    assert says in done.stderr and "Traceback" not in done.stderr
    assert len(done.stderr.strip().split("\n")) == 2, "a sentence in Chinese and one in English"


def test_what_goes_wrong_is_told_in_two_sentences(database_url: str, tmp_path: Path) -> None:
    wrong: tuple[tuple[str, str, tuple[str, ...]], ...] = (
        ("not_found", "nowhere.json", ("import", "/nowhere.json")),
        ("not_found", "no-such-measure", ("where", "no-such-measure")),
        ("not_found", "可选", ("bench", "no-such-bench")),
        ("not_found", "99", ("quarantine", "show", "99")),
        ("not_found", "quarantine list", ("quarantine", "discard", "99", "--reason", "x")),
        ("incorrect", "--person", ("erase",)),
        ("not_found", "没有这位居民", ("erase", "--person", "99", "--reason", "x")),
    )
    for code, says, arguments in wrong:
        refused(tmp_path / "data", database_url, code, says, *arguments)
    refused(tmp_path / "data", "postgresql://nobody@127.0.0.1:1/none", "unavailable", "数据库", "quarantine", "list")


BAD = {**resident(70, "周测七", 420999101201, "E1"), "gender": "女"}

DOUBTFUL = {
    **resident(92, "冯测", 420999101201, "E1"),
    "identifier": [{"system": "urn:oid:2.16.156.10011.1.3", "value": "420999196005120922"}],
}


async def two_wait(url: str, data: Path) -> list[int]:
    """Send two bad entries and return the numbers under which they wait."""
    async with open_district(url, data) as platform:
        house = platform.security.system_scope()
        for number in (70, 71):
            await platform.importer.import_content(house, (f"{number}.json", orjson.dumps({**BAD, "id": f"p{number}"})), ImportOptions(HIS))
        return [row["quarantine_no"] for row in await platform.exchange.ledger.waiting(None, None, 10)]


def test_what_waits_is_listed_repaired_and_discarded_from_the_terminal(database_url: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    first, second = asyncio.run(two_wait(database_url, data))
    listed = run(data, database_url, "quarantine", "list")
    assert listed.returncode == 0 and "Patient.gender" in listed.stdout and "周测七" not in listed.stdout
    narrow = run(data, database_url, "quarantine", "list", columns=80).stdout.splitlines()
    assert max(cell_len(line) for line in narrow) <= 80
    words = [word for line in narrow for word in line.split()]
    assert "Patient.gender:" in words and "70.json" in words and "unknown" in words, "no word is broken at the edge"
    wide = run(data, database_url, "quarantine", "list", "--wide").stdout.splitlines()
    assert any(re.search(rf"\b{first}\b", line) and HIS in line and "Patient.gender" in line and "female, male" in line for line in wide)

    def waiting() -> list[dict[str, Any]]:
        return [json.loads(line) for line in run(data, database_url, "quarantine", "list", "--json").stdout.splitlines()]

    lines = waiting()
    assert [line["no"] for line in lines] == [first, second] and lines[0]["problems"][0]["path"] == "Patient.gender"
    assert "周测七" not in str(lines)
    shown = run(data, database_url, "quarantine", "show", str(first))
    assert "female, male" in shown.stdout and "周测七" not in shown.stdout, "content only when it is asked for"
    assert "周测七" in run(data, database_url, "quarantine", "show", str(first), "--content").stdout

    again = run(data, database_url, "quarantine", "replay", str(first))
    assert again.returncode == 11 and "female, male" in again.stdout, "as it was, it is refused again"
    (tmp_path / "repaired.json").write_bytes(orjson.dumps({**BAD, "id": "p70", "gender": "female"}))
    repaired = run(data, database_url, "quarantine", "replay", str(first), "--repaired", str(tmp_path / "repaired.json"))
    assert repaired.returncode == 0, repaired.stdout + repaired.stderr
    assert run(data, database_url, "quarantine", "discard", str(second), "--reason", "发错了").returncode == 0
    assert waiting() == []


def test_a_folder_of_bad_files_is_told_file_by_file_and_again(database_url: str, tmp_path: Path) -> None:
    folder, data = tmp_path / "folder", tmp_path / "data"
    folder.mkdir()
    files: dict[str, tuple[bytes, str, str]] = {
        "a-empty.json": (b"", "空的", "empty"),
        "b-cut.json.gz": (gzip.compress(orjson.dumps(resident(90, "冯测", 420999101201, "E1")))[:-9], "截断", "cut off"),
        "c-gbk.json": (orjson.dumps(resident(91, "冯测", 420999101201, "E1")).decode().encode("gb18030"), "UTF-8", "GB18030"),
        "d-letter.docx": (b"PK\x03\x04" + b"\0" * 99, "Word", "Word"),
        "e-many.ndjson": (b"\n".join(orjson.dumps({**BAD, "id": f"e{n}"}) for n in range(9)), "female, male", "female, male"),
        "f-digit.json": (orjson.dumps(DOUBTFUL), "校验码", "check digit"),
        "g-good.json": (orjson.dumps(resident(93, "冯测", 420999101201, "E1")), "", ""),
    }
    for name, (content, _, _) in files.items():
        (folder / name).write_bytes(content)
    for _ in range(2):
        done = run(data, database_url, "import", str(folder), "--source", "bad-files", "--name", "坏文件")
        assert done.returncode == 11 and "待处理" in done.stdout
        lines = done.stdout.split("\n")
        for name, (_, zh, en) in files.items():
            told = [line for line in lines if line.startswith(name)]
            if name == "g-good.json" or name == "f-digit.json" and told == []:
                continue
            assert told and zh in told[0] and en in told[0], (name, done.stdout)
        assert "冯测" not in done.stdout, "nothing of a record is on the terminal"
    listed = run(data, database_url, "quarantine", "list")
    assert all(name in listed.stdout for name in files if name[0] in "abcde")


async def sources(url: str, data: Path) -> list[str]:
    async with open_district(url, data) as platform:
        return [source.code for source in await platform.exchange.ledger.sources()]


def test_a_wrong_institution_names_the_right_ones_and_registers_no_source(database_url: str, tmp_path: Path) -> None:
    data, file = tmp_path / "data", tmp_path / "one.json"
    data.mkdir()
    file.write_bytes(orjson.dumps(resident(94, "冯测", 420999101201, "E1")))
    assert "mistyped" not in asyncio.run(sources(database_url, data))
    import_it = ("import", str(file), "--source", "mistyped", "--name", "写错机构")
    refused(data, database_url, "not_found", "E1 青石镇卫生院", *import_it, "--institution", "no-such-code")
    assert "mistyped" not in asyncio.run(sources(database_url, data))
    assert run(data, database_url, *import_it, "--institution", "E1").returncode == 0
    assert "mistyped" in asyncio.run(sources(database_url, data))


def test_codes_are_loaded_mapped_and_written_out_from_the_terminal(database_url: str, tmp_path: Path) -> None:
    data, table = tmp_path / "data", tmp_path / "表.csv"
    table.write_bytes("code,display_zh,active\nA,高血压,\nB,糖尿病,是\n".encode("gb18030"))
    told = ("--url", "urn:test:cli|1", "--name", "本院诊断", "--source", "信息科")
    bad = run(data, database_url, "codes", "load", "concepts", str(table), *told)
    assert bad.returncode == 11 and "line 3" in bad.stdout and "active" in bad.stdout
    table.write_text("code,display_zh,active\nA,高血压,\nB,糖尿病,1\n", "utf-8")
    assert "新增 2" in run(data, database_url, "codes", "check", "concepts", str(table), *told).stdout
    assert "没有载入" in run(data, database_url, "codes", "list").stdout
    assert run(data, database_url, "codes", "load", "concepts", str(table), *told).returncode == 0
    again = run(data, database_url, "codes", "load", "concepts", str(table), "--url", "urn:test:cli")
    assert "不变 2" in again.stdout, "what is known of the system need not be told again"
    assert "本院诊断" in run(data, database_url, "codes", "list").stdout

    pair = ("http://snomed.info/sct|59621000", "urn:test:cli|A")
    assert "已录入" in run(data, database_url, "codes", "map", *pair, "--source", "编码员").stdout
    assert "已经录入" in run(data, database_url, "codes", "map", *pair, "--source", "编码员").stdout
    maps = run(data, database_url, "codes", "maps", "5962", columns=60).stdout
    assert pair[0] in maps and f"→ {pair[1]}  equivalent" in maps and "编码员" in maps, "codes stay whole on a narrow terminal"
    out = tmp_path / "maps.csv"
    assert run(data, database_url, "codes", "export", "maps", str(out)).returncode == 0
    assert "不变 1" in run(data, database_url, "codes", "check", "maps", str(out)).stdout
    assert run(data, database_url, "codes", "template", "maps").stdout.strip() == out.read_text("utf-8-sig").split("\n")[0].strip()
    assert run(data, database_url, "codes", "end-map", "1", "--reason", "更正").returncode == 0
    assert "没有对照关系" in run(data, database_url, "codes", "maps").stdout
    history = run(data, database_url, "codes", "history").stdout
    assert "loaded" in history and "refused" in history and "looked" in history
    refused(data, database_url, "not_found", "maps", "codes", "template", "x")
    refused(data, database_url, "not_found", "maps", "codes", "load", "x", str(table))
    refused(data, database_url, "not_found", "maps", "codes", "export", "x", str(out))
    refused(data, database_url, "unavailable", "权限", "codes", "export", "maps", str(tmp_path / "nowhere" / "maps.csv"))
    refused(data, database_url, "incorrect", "系统|代码", "codes", "map", "59621000", "I10", "--source", "x")
    refused(data, database_url, "not_found", "对应关系", "codes", "end-map", "1", "--reason", "x")
