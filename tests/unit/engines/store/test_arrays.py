"""Arrays as text come back from the server as they were."""

from __future__ import annotations

import asyncpg
import pytest

from xinglin.engines.store.arrays import array_of_integers, array_of_lists, array_of_numbers, array_of_words


@pytest.mark.parametrize(
    "words", [[], ["a"], ["", "NULL", "null"], ["a,b", "{c}", " d "], ['q"uote', "back\\slash", '\\"', "上海\n"], ['"'], ['x","y', "z"]]
)
async def test_words_come_back(database_url: str, words: list[str]) -> None:
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetchval("select $1::text::text[]", array_of_words(words)) == words
    finally:
        await connection.close()


async def test_numbers_come_back(database_url: str) -> None:
    numbers = [1, None, -(1 << 63), 2]
    floats = [0.1, 1e300, float("inf"), float("-inf"), None]
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetchval("select $1::text::bigint[]", array_of_numbers(numbers)) == numbers
        assert await connection.fetchval("select $1::text::float8[]", array_of_numbers(floats)) == floats
        assert await connection.fetchval("select $1::text::bigint[]", array_of_numbers([])) == []
    finally:
        await connection.close()


async def test_integers_and_lists_come_back(database_url: str) -> None:
    numbers, lists = [1, None, -(1 << 63), (1 << 63) - 1], [[1, -2], [], [-(1 << 63)]]
    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetchval("select $1::text::bigint[]", array_of_integers(numbers)) == numbers
        assert await connection.fetchval("select $1::text::bigint[]", array_of_integers([])) == []
        texts = await connection.fetchval("select $1::text::text[]", array_of_lists(lists))
        assert [await connection.fetchval("select $1::text::bigint[]", text) for text in texts] == lists
        assert await connection.fetchval("select $1::text::text[]", array_of_lists([])) == []
    finally:
        await connection.close()
