"""The reference is written from code, and a check says when it is stale."""

from __future__ import annotations

from pathlib import Path

from xinglin.base.settings import VARIABLES, read_settings
from xinglin.cli import app
from xinglin.cli.documents import write_pages
from xinglin.cli.reference import pages


def test_every_source_of_pages_is_among_them() -> None:
    made = pages(app)
    assert {"roles.md", "settings.md", "commands.md", "fhir-interface.md", "postgresql.md", "definitions/README.md"} <= made.keys()
    assert all(
        name in made["commands.md"] for name in ("`xinglin serve`", "`xinglin import`", "`xinglin quarantine list`", "`xinglin erase`")
    )
    assert "load-demo" not in made["commands.md"], "what the processes call themselves is not for people"
    assert "partition" in made["postgresql.md"] and "无 none" in made["postgresql.md"], "no extension is needed"
    assert "`birthdate` date" in made["fhir-interface.md"]


def test_the_page_of_settings_names_every_variable_that_is_read() -> None:
    class Asked(dict[str, str]):
        def get(self, name: str, default: object = None) -> object:  # type: ignore[override]
            asked.add(name)
            return None

    asked: set[str] = set()
    read_settings(Asked())
    assert asked == {each.name for each in VARIABLES}


def test_a_stale_page_is_named_written_once_and_a_page_of_what_is_gone_removed(tmp_path: Path) -> None:
    made = {"a.md": "one\n", "definitions/b.md": "two\n"}
    assert len(write_pages(tmp_path, made, is_check=True)) == 2
    assert not (tmp_path / "a.md").exists(), "a check writes nothing"
    assert len(write_pages(tmp_path, made, is_check=False)) == 2
    assert write_pages(tmp_path, made, is_check=True) == []
    (tmp_path / "a.md").write_text("changed by hand\n")
    (tmp_path / "definitions" / "gone.md").write_text("of a definition that is no more\n")
    stale = write_pages(tmp_path, made, is_check=False)
    assert [path.name for path in stale] == ["a.md", "gone.md"]
    assert (tmp_path / "a.md").read_text() == "one\n" and not (tmp_path / "definitions" / "gone.md").exists()
