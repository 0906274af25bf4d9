"""Whatever is put and deleted in whatever order: outcomes, versions, bytes, history and feed are those of a plain list of versions."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.record import Record, open_record, patient
from xinglin.base.errors import NotFoundError
from xinglin.engines.security import InstallationSecrets
from xinglin.engines.store import Cursor, Delete, HistoryQuery, Put

_turns = itertools.count()


@dataclass(frozen=True)
class Wish:
    """One change of one of four resources. word: content, None = delete.  expected: version asked for, None = any."""

    which: int
    word: str | None
    expected: int | None


@dataclass
class Plain:
    """A resource as a list of its versions; None = deleted."""

    versions: list[str | None] = field(default_factory=list)

    def take(self, wish: Wish) -> tuple[str, int]:
        """Return what becomes of a wish and the version that holds then."""
        now = self.versions[-1] if self.versions else None
        present = len(self.versions) if now is not None else 0
        if wish.expected is not None and wish.expected != present:
            return "refused", 0
        if wish.word == now:
            return "unchanged", len(self.versions)
        self.versions.append(wish.word)
        return ("deleted" if wish.word is None else "created" if now is None else "updated"), len(self.versions)


WISHES = st.builds(Wish, st.integers(0, 3), st.sampled_from(("en", "zh", "fr", None)), st.sampled_from((None, None, None, 0, 1, 2, 3)))


@pytest.fixture(scope="module")
async def record(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Record]:
    async with open_record(database_url, InstallationSecrets.load(tmp_path_factory.mktemp("secrets"))) as opened:
        yield opened


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(batches=st.lists(st.lists(WISHES, min_size=1, max_size=6), min_size=1, max_size=5))
async def test_the_record_is_a_list_of_versions(record: Record, batches: list[list[Wish]]) -> None:
    turn = next(_turns)
    ids = [f"t{turn}-{n}" for n in range(4)]
    plain = [Plain() for _ in ids]
    after = Cursor(await record.store.head())
    told = 0
    for batch in batches:
        changes = [
            Delete("Patient", ids[wish.which], wish.expected)
            if wish.word is None
            else Put("Patient", ids[wish.which], patient(ids[wish.which], language=wish.word), wish.expected)
            for wish in batch
        ]
        expected = [plain[wish.which].take(wish) for wish in batch]
        outcomes = await record.write(*changes)
        assert [(outcome.status, outcome.version) for outcome in outcomes] == expected
        told += sum(status in ("created", "updated", "deleted") for status, _ in expected)
    entries = await record.store.feed(after, 1000)
    assert [entry.seq for entry in entries] == list(range(after.seq + 1, after.seq + told + 1))
    for own, each in zip(ids, plain, strict=True):
        await check(record, own, each.versions)


async def check(record: Record, own: str, versions: list[str | None]) -> None:
    """Hold a resource's reads, search and history to its list of versions."""
    now = versions[-1] if versions else None
    assert await record.found("Patient", ("_id", own)) == ([own] if now else [])
    if now:
        entry = await record.store.read(record.house, "Patient", own)
        assert entry.version == len(versions) and f'"language":"{now}"'.encode() in entry.body
    else:
        with pytest.raises(NotFoundError) as refused:
            await record.store.read(record.house, "Patient", own)
        assert refused.value.http_status == (410 if versions else 404)
    if versions:
        history = await record.store.history(record.house, HistoryQuery("Patient", own))
        words = [None if entry.is_deleted else entry.body.partition(b'"language":"')[2][:2].decode() for entry in history.entries]
        assert words == list(reversed(versions)) and history.total == len(versions)
