"""Arrays as the text PostgreSQL reads: one value to encode in place of one per element."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import orjson


def array_of_numbers(numbers: Iterable[float | None]) -> str:
    """Return numbers as the text of an array; None is null.

    >>> array_of_numbers([1, None, 2.5])
    '{1,NULL,2.5}'
    """
    return "{" + ",".join(map(str, numbers)).replace("None", "NULL") + "}"


def array_of_integers(numbers: Sequence[int | None]) -> str:
    """Return integers of 64 bits as the text of an array; None is null. Many times as fast as `array_of_numbers`.

    >>> array_of_integers([1, None, -2])
    '{1,null,-2}'
    """
    return "{" + orjson.dumps(numbers)[1:-1].decode() + "}"


def array_of_lists(lists: Sequence[Sequence[int]]) -> str:
    """Return lists of integers of 64 bits as the text of an array of texts, each of which is the text of an array.

    >>> array_of_lists([[1, 2], [], [3]])
    '{"{1,2}","{}","{3}"}'
    """
    if not lists:
        return "{}"
    inner = orjson.dumps(lists)[2:-2].decode().replace("],[", '}","{')
    return f'{{"{{{inner}}}"}}'


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
