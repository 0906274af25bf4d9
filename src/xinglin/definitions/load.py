"""Files → definitions: the catalogue of everything declared, and the edition in force on a day."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Final

from xinglin.base.errors import DefinitionError, NotFoundError
from xinglin.definitions.build import Builder
from xinglin.definitions.model import Definition
from xinglin.definitions.reads import Reads, reads_of
from xinglin.definitions.source import Source, read

_NEAREST: Final = 6
_ALIKE: Final = 0.55
"""Share of letters in common from which a name may be a slip of another."""


def _called(definition: Definition) -> tuple[str, ...]:
    """Return what a definition is called on pages: name and title, Chinese and English."""
    words, title = definition.words, definition.title
    return words.zh, words.en, title.zh, title.en


@dataclass(frozen=True)
class Edition:
    """The definitions in force on one day, by id (a variant's id is `<base>.<variant>`; the default variant also answers to the base id)."""

    definitions: Mapping[str, Definition]

    def get(self, name: str) -> Definition:
        """Return a definition by id, or by its Chinese or English name or title.  Raises: NotFoundError naming the nearest, else every id."""
        if name in self.definitions:
            return self.definitions[name]
        for definition in self.definitions.values():
            if name in _called(definition):
                return definition
        near, every = self._near(name), ", ".join(sorted(self.definitions))
        zh = "；".join(f"{one.words.zh}（{one.id}）" for one in near) or every
        en = "; ".join(f"{one.words.en} ({one.id})" for one in near) or every
        raise NotFoundError(f"没有定义 {name}；现有：{zh}", f"there is no definition {name}; there are {en}")

    def _near(self, name: str) -> list[Definition]:
        """Return the definitions called most like a name: those that hold it, then those spelled like it; one for each base name."""
        by_name: dict[str, Definition] = {}
        for one in self.definitions.values():
            for text in (one.id, *_called(one)):
                by_name.setdefault(text.casefold(), one)
        wanted = name.strip().casefold()
        held = [text for text in by_name if wanted and wanted in text]
        alike = difflib.get_close_matches(wanted, by_name, n=_NEAREST, cutoff=_ALIKE)
        found: dict[str, Definition] = {}
        for text in held or alike:
            found.setdefault(by_name[text].words.zh, by_name[text])
        return list(found.values())[:_NEAREST]

    def of_kind(self, *kinds: str) -> tuple[Definition, ...]:
        """Return each definition of these kinds once, by id."""
        found = {definition.id: definition for definition in self.definitions.values() if definition.kind in kinds}
        return tuple(found[name] for name in sorted(found))


class Catalogue:
    """Every definition file given, in all vintages. Immutable once made; editions are built once per set of vintages in force."""

    def __init__(self, sources: Iterable[Source]) -> None:
        """Build every edition at once, so that a fault is found when loading.  Raises: DefinitionError."""
        self._sources = tuple(sources)
        _check_vintages(self._sources)
        self._editions: dict[tuple[str, ...], Edition] = {}
        self._by_day: dict[date, Edition] = {}
        for day in self.changes():
            self.edition(day)

    def changes(self) -> tuple[date, ...]:
        """Return the days on which some definition begins to hold."""
        return tuple(sorted({source.effective_from for source in self._sources}))

    def edition(self, day: date) -> Edition:
        """Return what is in force on the day."""
        if day not in self._by_day:
            self._by_day[day] = self._in_force(day)
        return self._by_day[day]

    def _in_force(self, day: date) -> Edition:
        chosen = tuple(source for source in self._sources if source.holds_on(day))
        key = tuple(source.path for source in chosen)
        if key not in self._editions:
            self._editions[key] = Edition(Builder(chosen).build())
        return self._editions[key]

    def with_equivalents(self, usable: Mapping[tuple[str, str], Sequence[str]]) -> Catalogue:
        """Return the catalogue in which codes of other systems count where a steward's map leads them into a code set.

        usable: (system, code) → codes here that a record may be counted under. A definition the map touches has another hash.
        """
        return Catalogue(source.with_equivalents(usable) for source in self._sources)

    @cached_property
    def reads(self) -> Reads:
        """Return what of a person's record any definition of any vintage reads."""
        every = (definition for edition in self._editions.values() for definition in edition.definitions.values())
        return reads_of(node for definition in every for node in definition.nodes)

    @property
    def sources(self) -> tuple[Source, ...]:
        """Return the files, as read."""
        return self._sources


def _check_vintages(sources: tuple[Source, ...]) -> None:
    by_id: dict[str, list[Source]] = {}
    for source in sources:
        by_id.setdefault(source.id, []).append(source)
    for vintages in by_id.values():
        vintages.sort(key=lambda source: source.effective_from)
        for earlier, later in zip(vintages, vintages[1:], strict=False):
            if earlier.effective_to is None or earlier.effective_to >= later.effective_from:
                raise DefinitionError(
                    f"{later.id} 的两个版本生效期重叠（另一个在 {earlier.path}），请写 effective_to",
                    f"two vintages of {later.id} overlap (the other is {earlier.path}); write effective_to in the earlier one",
                    where=str(later.place("effective_from")),
                )


def load(paths: Iterable[Path]) -> Catalogue:
    """Return the catalogue of every `*.toml` directly in the given folders (or the given files), named relative to `src/..`.

    Raises: DefinitionError with file:line for the first fault.
    """
    sources = []
    for path in paths:
        for file in [path] if path.is_file() else sorted(path.glob("*.toml")):
            sources.append(read(file, shown_path(file)))
    return Catalogue(sources)


def shown_path(file: Path) -> str:
    """Return the path as people see it: from `src` on inside a checkout, from `xinglin` on when installed, else the file's name."""
    parts = file.resolve().parts
    for anchor in ("src", "xinglin"):
        if anchor in parts:
            return "/".join(parts[len(parts) - 1 - parts[::-1].index(anchor) :])
    return file.name
