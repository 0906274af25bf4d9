"""Arrays as the text PostgreSQL reads: one value to encode in place of one per element."""

from __future__ import annotations

from collections.abc import Collection, Iterable


def array_of_numbers(numbers: Iterable[float | None]) -> str:
    """Return numbers as the text of an array; None is null.

    >>> array_of_numbers([1, None, 2.5])
    '{1,NULL,2.5}'
    """
    return "{" + ",".join(map(str, numbers)).replace("None", "NULL") + "}"


def array_of_words(words: Collection[str]) -> str:
    r"""Return texts as the text of an array, whatever they hold (PostgreSQL's text has no NUL).

    >>> print(array_of_words(["a", "NULL", 'b"c']))
    {"a","NULL","b\"c"}
    """
    if not words:
        return "{}"
    joined = '","'.join(words)
    if "\\" in joined or joined.count('"') != 2 * (len(words) - 1):
        joined = '","'.join(word.replace("\\", "\\\\").replace('"', '\\"') for word in words)
    return f'{{"{joined}"}}'
