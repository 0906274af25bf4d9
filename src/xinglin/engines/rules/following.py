"""Results follow the feed: who is named by new entries is reckoned again, one by one or, after a load, all at once."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.base.errors import NotFoundError, UnavailableError
from xinglin.base.loop import Loop
from xinglin.engines.jobs import Runs
from xinglin.engines.lake import Snapshot
from xinglin.engines.rules.rules import Rules

_log = logging.getLogger(__name__)
READER: Final = "results"
FULL: Final = "results"
_RETRY_S: Final = 2.0
# Whoever a person entered something for on a page comes first, then the others.
_PERSONS: Final = """
select f.person, bool_or(m.kind in ('page', 'form', 'rest')) as by_hand from feed f left join message m using (message_no)
where f.seq > $1 and f.seq <= $2 and f.person is not null and f.kind in ('resource', 'link', 'erase')
group by f.person order by by_hand desc nulls last, f.person limit $3"""
_WITHOUT_RECORD: Final = """
select p from unnest($1::bigint[]) as u(p) where not exists (select 1 from person_link l where l.person = p and l.to_seq is null)"""


@dataclass(frozen=True, slots=True)
class FollowOptions:
    """most_persons: more than these are reckoned all at once.  quiet_s: a load is over when nothing came for so long.

    longest_s: while a load goes on, everyone is reckoned again this often.  look_s: how often the clock is looked at for a jump.
    """

    most_persons: int = 100
    quiet_s: float = 3.0
    longest_s: float = 60.0
    look_s: float = 10.0


class ResultFollower:
    """Keeps table `result` behind the columns. Its place in the feed stands in `feed_reader`, so that a restart goes on from there."""

    def __init__(self, rules: Rules, runs: Runs, ground: tuple[Database, Clock], options: FollowOptions | None = None) -> None:
        self._rules = rules
        self._runs = runs
        self._database, self._clock = ground
        self._options = options or FollowOptions()
        self._told = asyncio.Event()
        self._upto = 0
        self._last_full = 0.0
        self._background = Loop("results")

    async def after_refresh(self, snapshot: Snapshot) -> None:
        """Note that the columns have come to a new seq; for `LakeService.after_refresh`."""
        self.tell(snapshot.seq)

    def tell(self, seq: int) -> None:
        """Note that the columns have come to a seq."""
        self._upto = max(self._upto, seq)
        self._told.set()

    def start(self) -> None:
        """Follow until `stop`; begins with everyone when the definitions or the day are not those of the last full evaluation."""
        self._background.start(self._run)

    async def stop(self) -> None:
        """End the loop; what is not written down yet is done again at the next start."""
        await self._background.stop()

    async def evaluate_all(self, day: date) -> dict[str, Any]:
        """Reckon everyone for a day, save it with the place in the feed, and return the drift report by definition."""
        drifts = await self._rules.evaluate_all(day)
        self._last_full = time.monotonic()
        seq = min((drift.seq for drift in drifts), default=self._upto)
        await self._save(seq, self._mark(day))
        counts = {name: sum(getattr(drift, name) for drift in drifts) for name in ("rows", "fresh", "changed", "ended", "drifted")}
        if counts["drifted"]:
            _log.error("%d results of the two paths differ: %s", counts["drifted"], [d.definition for d in drifts if d.drifted])
        return {"seq": seq, **counts, "definitions": [asdict(drift) for drift in drifts]}

    async def is_stale(self) -> bool:
        """Say whether the last full evaluation was made with other definitions or for another day."""
        _, mark = await self._place()
        return mark != self._mark(self._clock.today())

    async def needs_everyone(self) -> bool:
        """Say whether definitions changed since the last full evaluation, or the day moved by more than one or back: the night is too late."""
        _, mark = await self._place()
        today = self._clock.today()
        day, _, digest = mark.partition(" ")
        return digest != self._mark(today).partition(" ")[2] or (today - date.fromisoformat(day)).days not in (0, 1)

    async def catch_up(self) -> int | None:
        """Reckon who was named up to the columns' seq, if they are few; returns how many, None where everyone has to be reckoned."""
        upto = self._upto
        seq, mark = await self._place()
        if upto <= seq:
            return 0
        async with self._database.connection() as connection:
            rows = await connection.fetch(_PERSONS, seq, upto, self._options.most_persons + 1)
        if len(rows) > self._options.most_persons:
            return None
        await self._reckon([row["person"] for row in rows])
        await self._save(upto, mark)
        return len(rows)

    async def _reckon(self, persons: Sequence[int]) -> None:
        today = self._clock.today()
        async with self._database.connection() as connection:
            empty = {row["p"] for row in await connection.fetch(_WITHOUT_RECORD, list(persons))}
            await connection.execute("update result set applies = false where person = any($1::bigint[]) and applies", list(empty))
        for person in persons:
            if person not in empty:
                with suppress(NotFoundError):  # unlinked meanwhile: the entry that did it comes next
                    await self._rules.evaluate_person(person, today)

    async def _place(self) -> tuple[int, str]:
        async with self._database.connection() as connection:
            row = await connection.fetchrow("select seq, mark from feed_reader where name = $1", READER)
        return (0, "") if row is None else (row["seq"], row["mark"])

    async def _save(self, seq: int, mark: str) -> None:
        async with self._database.connection() as connection:
            await connection.execute(
                "insert into feed_reader (name, seq, mark, changed_at) values ($1, $2, $3, $4) on conflict (name) do update"
                " set seq = excluded.seq, mark = excluded.mark, changed_at = excluded.changed_at",
                READER,
                seq,
                mark,
                self._clock.now(),
            )

    def _mark(self, day: date) -> str:
        hashes = sorted(definition.hash for definition in self._rules.edition(day).of_kind("programme", "worklist"))
        return f"{day} {hashlib.sha256(' '.join(hashes).encode()).hexdigest()[:16]}"

    async def _run(self) -> None:
        is_full_wanted = True
        while True:
            try:
                if is_full_wanted and await self.is_stale():
                    await self._everyone()
                is_full_wanted = False
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._told.wait(), self._options.look_s)
                self._told.clear()
                if await self.needs_everyone():
                    await self._everyone()
                if await self.catch_up() is None:
                    await self._wait_for_quiet()
                    await self._everyone()
            except UnavailableError as error:
                _log.warning("the results wait: %s", error)
                self._told.set()
                await asyncio.sleep(_RETRY_S)
            except Exception:  # noqa: BLE001 - the outermost edge of the loop: what failed is logged and tried again
                _log.exception("the results could not be brought up to the record")
                self._told.set()
                await asyncio.sleep(_RETRY_S)

    async def _everyone(self) -> None:
        await self._runs.run(FULL, self.evaluate_all)

    async def _wait_for_quiet(self) -> None:
        """Return once the columns have stood still, or when the last full evaluation is long ago."""
        latest = max(self._last_full, time.monotonic() - self._options.longest_s) + self._options.longest_s
        while time.monotonic() < latest:
            try:
                await asyncio.wait_for(self._told.wait(), self._options.quiet_s)
                self._told.clear()
            except TimeoutError:
                return
