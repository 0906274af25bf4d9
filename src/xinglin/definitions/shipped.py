"""The definitions that the installed modules bring."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

from xinglin.definitions.forms import Form, load_forms
from xinglin.definitions.load import Catalogue, load


def definition_folders() -> list[Path]:
    """Return the folders of definitions that the modules bring."""
    return _folders("definitions")


def _folders(name: str) -> list[Path]:
    return sorted(folder for folder in (Path(__file__).parents[1] / "modules").glob(f"*/{name}") if folder.is_dir())


@cache
def shipped_catalogue() -> Catalogue:
    """Return every definition of the installed modules, read once per process.  Raises: DefinitionError with file:line."""
    return load(definition_folders())


@cache
def shipped_forms(as_of: date) -> dict[str, Form]:
    """Return id → form of the installed modules, with the calculators in force on a day.  Raises: DefinitionError with file:line."""
    return load_forms(_folders("forms"), shipped_catalogue().edition(as_of))
