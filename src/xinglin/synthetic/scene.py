"""Everything known about one village while its record is being written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from xinglin.synthetic.emission import BASE, COUNTY_HIS, IMMUNIZATION, TOWNSHIP_HIS, Emission
from xinglin.synthetic.health import PROGRAMMES, Episode, Health, Intent, enrol, make_health
from xinglin.synthetic.homes import People, settle
from xinglin.synthetic.institutions import Institution, Institutions
from xinglin.synthetic.numbers import record_number
from xinglin.synthetic.places import Places
from xinglin.synthetic.plan import FAR, Plan, Stream
from xinglin.synthetic.population import Population
from xinglin.synthetic.stories import Script, script

_PRIME: Final = 9_999_991


@dataclass(frozen=True, slots=True)
class World:
    """What is the same for all villages."""

    plan: Plan
    places: Places
    institutions: Institutions


@dataclass(slots=True)
class Scene:
    """One village: people, health, enrolments, the institutions that serve it, the ids each source gave, what is written so far.

    record: row → 17-digit health record number ("" = none); admissions: row → (first, last) days in hospital.
    """

    world: World
    village: int
    people: People
    health: Health
    episodes: list[Episode]
    record: list[str]
    scripted: Script
    intents: dict[str, Intent]
    emission: Emission
    admissions: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    seen: dict[str, dict[int, int]] = field(default_factory=dict)

    @property
    def plan(self) -> Plan:
        """Return the plan."""
        return self.world.plan

    @property
    def code(self) -> int:
        """Return the village's 12-digit code."""
        return self.world.places.villages[self.village].code

    @property
    def town(self) -> int:
        """Return the number of the village's town."""
        return self.world.places.villages[self.village].town

    @property
    def clinic(self) -> Institution:
        """Return the village clinic."""
        return self.world.institutions.clinics[self.village]

    @property
    def township(self) -> Institution:
        """Return the township hospital."""
        return self.world.institutions.township[self.town]

    @property
    def hospital(self) -> Institution:
        """Return the county hospital."""
        return self.world.institutions.hospital

    def stream(self, concern: Stream) -> np.random.Generator:
        """Return the village's generator of one concern."""
        return self.plan.stream(concern, self.village)

    def patient(self, source: str, row: int) -> str:
        """Return the id the source gave the person (whether or not the source knows the person)."""
        person = int(self.people.population.person[row])
        if source == BASE:
            return f"R{self.record[row]}"
        letter, factor = {COUNTY_HIS: ("H", 7919), TOWNSHIP_HIS: ("T", 104729), IMMUNIZATION: ("V", 1299709)}[source]
        return f"{letter}{(person * factor + 31) % _PRIME:07d}"

    def notice(self, source: str, row: int, day: int) -> None:
        """Remember that a source has met the person, and the first day it did."""
        known = self.seen.setdefault(source, {})
        known[row] = min(day, known.get(row, FAR))

    def in_hospital(self, row: int, day: int) -> bool:
        """Return whether the person lay in hospital that day."""
        return any(first <= day <= last for first, last in self.admissions.get(row, ()))


def open_scene(world: World, village: int, population: Population, emission: Emission) -> Scene:
    """Return the scene of a village with its people, their health and enrolments; what is written goes to `emission`."""
    people = settle(world.plan, village, population)
    health = make_health(world.plan, village, people, world.institutions.clinics[village].traits)
    scripted = script(world.plan, people, health)
    enrolled, intents = enrol(world.plan, village, people, health)
    episodes = sorted([*enrolled, *scripted.episodes], key=lambda e: (e.row, PROGRAMMES.index(e.programme), e.start))
    for episode in episodes:  # who is enrolled has a record, opened that day at the latest
        people.opened[episode.row] = min(int(people.opened[episode.row]), episode.start)
    order = np.argsort(people.opened, kind="stable")
    serial = np.empty(len(people), dtype=np.int64)
    serial[order] = np.arange(1, len(people) + 1)
    code = world.places.villages[village].code
    record = [record_number(code, s) if o < FAR else "" for s, o in zip(serial.tolist(), people.opened.tolist(), strict=True)]
    return Scene(world, village, people, health, episodes, record, scripted, intents, emission)
