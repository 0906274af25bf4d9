"""What browsers are sent stays within the floor (Chromium 88), the content policy and a small size."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from xinglin.base.errors import NotFoundError, UnavailableError
from xinglin.web.assets import STATIC, cut_sprite, read_assets
from xinglin.web.rendering import FOLDER

OURS = [path for path in STATIC.glob("*.*") if path.suffix in (".css", ".js")]
TOO_NEW = re.compile(
    r"color-mix\(|oklch\(|light-dark\(|:has\(|@container|\.at\(|\.replaceAll\(|structuredClone|Object\.hasOwn|\.findLast\(|@layer"
)


def test_nothing_newer_than_chromium_88_is_used() -> None:
    shipped = [*OURS, STATIC / "vendor/bootstrap/bootstrap.min.css"]
    assert {
        path.name: TOO_NEW.findall(path.read_text(encoding="utf-8")) for path in shipped if TOO_NEW.search(path.read_text(encoding="utf-8"))
    } == {}


def test_templates_hold_no_inline_script_or_style() -> None:
    found = {}
    for path in FOLDER.rglob("*.html"):
        text = path.read_text(encoding="utf-8")
        inline = re.findall(r"\sstyle=|\son[a-z]+=|<style|<script(?![^>]*\bsrc=)|javascript:", text)
        if inline:
            found[path.name] = inline
    assert found == {}


def test_every_form_that_changes_something_carries_its_token() -> None:
    bare = []
    for path in FOLDER.rglob("*.html"):
        for form in re.findall(r"<form[^>]*method=\"post\".*?</form>", path.read_text(encoding="utf-8"), flags=re.DOTALL):
            if "form_token" not in form and "token(visit)" not in form:
                bare.append(path.name)
    assert bare == []


def test_a_page_of_work_sends_little() -> None:
    files = read_assets().files
    sent = sum(
        len(files[name].packed or files[name].content)
        for name in ("vendor/bootstrap/bootstrap.min.css", "vendor/htmx/htmx.min.js", "xinglin.css", "app.js", "icons.svg", "mark.svg")
    )
    assert sent < 80_000


def test_an_icon_that_does_not_exist_is_named() -> None:
    with pytest.raises(NotFoundError, match="no-such-icon"):
        cut_sprite('<svg><symbol id="check2"></symbol></svg>', ("check2", "no-such-icon"))


def test_missing_assets_say_what_brings_them(tmp_path: Path) -> None:

    with pytest.raises(UnavailableError, match="hatch_build.py"):
        read_assets(tmp_path)
