"""Texts in Chinese and English: the Chinese sentence is the message id, `locale/en.po` holds its English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from babel.messages.pofile import read_po

from xinglin.base.errors import DefinitionError, place_words

LANGUAGES: Final = ("zh", "en")
LOCALE = Path(__file__).parent / "locale"


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one language.

    language: "zh" or "en".  entries: Chinese → text of the language; empty for Chinese itself.
    """

    language: str
    entries: Mapping[str, str]

    def __call__(self, chinese: str, /, **values: object) -> str:
        """Return the text of a Chinese message id, with `{name}` replaced by values; the Chinese itself where no text is known."""
        text = self.entries.get(chinese) or chinese
        return text.format(**values) if values else text

    def pick(self, chinese: str, english: str) -> str:
        """Return one of two texts that a definition or an error carries in both languages."""
        return english if self.language == "en" and english else chinese

    def place(self, where: str) -> str:
        """Return the place an error names: a line, column or byte in the page's words, any other name as it is."""
        return place_words(where, self.language)

    def at(self, where: str, chinese: str, english: str) -> str:
        """Return one of two texts with the place it is about before it, if any."""
        return f"{self.place(where)}: {self.pick(chinese, english)}" if where else self.pick(chinese, english)


def capital(text: str) -> str:
    """Return text with its first letter in capitals, as headings and labels begin in English; Chinese stays as it is.

    >>> capital("hypertension follow-up"), capital("随访")
    ('Hypertension follow-up', '随访')
    """
    return text[:1].upper() + text[1:]


def listed(texts: Iterable[str], language: str) -> str:
    """Return sentences one after the other as the language writes them.

    >>> listed(["a", "b"], "en"), listed(["甲", "乙"], "zh")
    ('a; b', '甲；乙')
    """
    return ("; " if language == "en" else "；").join(texts)


def mark(chinese: str) -> str:
    """Return chinese unchanged: marks a text that is translated later, so that the check of `en.po` finds it."""
    return chinese


def read_words(folder: Path = LOCALE) -> Mapping[str, Words]:
    """Return the texts of both languages. Raises: DefinitionError when `en.po` cannot be read."""
    try:
        with (folder / "en.po").open("rb") as file:
            catalogue = read_po(file, locale="en", abort_invalid=True)
    except (OSError, ValueError) as error:
        raise DefinitionError(f"语言文件 en.po 无法读取：{error}", f"the language file en.po cannot be read: {error}") from error
    english = {str(message.id): str(message.string) for message in catalogue if message.id and message.string}
    return {"zh": Words("zh", {}), "en": Words("en", english)}
