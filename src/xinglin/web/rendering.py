"""The template environments: one for each language, so that macros need no context to know their words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from xinglin.base.errors import DefinitionError
from xinglin.web.assets import Assets
from xinglin.web.i18n import Words
from xinglin.web.icons import ICONS

FOLDER = Path(__file__).parent / "templates"
SIGNS: Final = {"：": ": ", "，": ", ", "、": ", ", "。": ". ", "（": " (", "）": ")"}
"""What stands between two texts on a Chinese page, and what stands there on an English one: `{{ sign('：') }}`."""


def make_environments(assets: Assets, words: Mapping[str, Words]) -> Mapping[str, Environment]:
    """Return the Jinja environment of each language: autoescaped, undefined names are errors."""
    return {language: _environment(assets, texts) for language, texts in words.items()}


def _environment(assets: Assets, words: Words) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, auto_reload=False
    )
    sprite = assets.address("icons.svg")

    def icon(name: str, label: str = "") -> Markup:
        if name not in ICONS:
            raise DefinitionError(f"图标 {name} 未登记：请写进 web/icons.py", f"icon {name} is not listed: add it to web/icons.py")
        hidden = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
        return Markup('<svg class="icon" {}><use href="{}#{}"/></svg>').format(hidden, sprite, name)

    def sign(chinese: str) -> str:
        return chinese if words.language == "zh" else SIGNS[chinese]

    environment.globals.update(_=words, language=words.language, asset=assets.address, icon=icon, sign=sign)
    environment.filters.update(day=_day, minute=_minute, number=_number, percent=_percent, data=_data)
    return environment


def _day(value: date | datetime | str | None) -> str:
    """Return a day as 2026-11-21, "" for None."""
    return "" if value is None else str(value)[:10]


def _minute(value: datetime | None) -> str:
    """Return an instant as 2026-11-21 08:30, "" for None. The caller has put it into the district's zone."""
    return "" if value is None else value.strftime("%Y-%m-%d %H:%M")


def _number(value: float | int | None, digits: int = 0) -> str:
    """Return a number with groups of three, "" for None.

    >>> _number(12345)
    '12,345'
    """
    return "" if value is None else f"{value:,.{digits}f}"


def _percent(value: float | None, digits: int = 1) -> str:
    """Return a share (0..1) as a percentage, "—" for None.

    >>> _percent(0.4567)
    '45.7%'
    """
    return "—" if value is None else f"{value * 100:.{digits}f}%"


def _data(value: object) -> str:
    """Return value as JSON for a data- attribute (the template escapes it)."""
    return json.dumps(value, ensure_ascii=False, default=str, separators=(",", ":"))
