"""A demonstration's day stays from start to start, and moves only when it is asked to."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from tests.record import ZONE, MovingClock
from xinglin.base.errors import ConflictError
from xinglin.base.kept_day import KeptClock, KeptDay

MADE = date(2026, 11, 21)


@pytest.fixture
def machine() -> MovingClock:
    return MovingClock(datetime(2026, 11, 21, 3, 0, tzinfo=UTC), ZONE)


def kept(folder: Path, machine: MovingClock) -> KeptDay:
    return KeptDay(folder / "day.json", machine, MADE)


def test_a_later_start_keeps_the_day_with_the_present_time_of_day(tmp_path: Path, machine: MovingClock) -> None:
    assert kept(tmp_path, machine).keep() == MADE
    machine.pass_(days=9, hours=2)
    later = kept(tmp_path, machine)
    assert later.keep() == MADE and later.is_behind()
    clock = KeptClock(later)
    assert clock.today() == MADE
    assert clock.now() == datetime(2026, 11, 21, 5, 0, tzinfo=UTC)


def test_a_process_that_runs_sees_the_day_another_one_moved(tmp_path: Path, machine: MovingClock) -> None:
    kept(tmp_path, machine).keep()
    machine.pass_(days=9)
    kept(tmp_path, machine).keep()
    clock = KeptClock(kept(tmp_path, machine))
    assert clock.today() == MADE
    kept(tmp_path, machine).move(date(2026, 11, 30))
    assert clock.today() == date(2026, 11, 30) and not kept(tmp_path, machine).is_behind()
    machine.pass_(days=1)
    assert clock.today() == date(2026, 12, 1), "a demonstration that runs goes on over midnight"
    assert kept(tmp_path, machine).is_behind() and kept(tmp_path, machine).stands_at() == date(2026, 11, 30), "its data does not"


def test_a_move_is_asked_for_once_and_stands_until_it_is_done(tmp_path: Path, machine: MovingClock) -> None:
    day = kept(tmp_path, machine)
    day.keep()
    machine.pass_(days=9)
    assert day.asked() is None
    assert day.ask() == date(2026, 11, 30) == kept(tmp_path, machine).asked() and day.note.exists()
    assert day.stands_at() == MADE, "asking moves nothing"
    with pytest.raises(ConflictError, match="being moved"):
        day.ask()
    day.move(date(2026, 11, 30))
    assert day.asked() == date(2026, 11, 30), "the day moves before the data is loaded"
    day.arrived()
    day.arrived()
    assert day.asked() is None and not day.note.exists()


def test_nobody_can_ask_to_move_back_or_nowhere(tmp_path: Path, machine: MovingClock) -> None:
    day = kept(tmp_path, machine)
    day.keep()
    with pytest.raises(ConflictError, match="at today"):
        day.ask()
    machine.pass_(days=-3)
    with pytest.raises(ConflictError, match="at today"):
        kept(tmp_path, machine).ask()
    assert day.asked() is None
