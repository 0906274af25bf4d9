"""A village that lives on after the day of data: where everybody stands, and the changes that every part of life makes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from xinglin.synthetic.continuation.journal import Journal
from xinglin.synthetic.drafts import Draft
from xinglin.synthetic.emission import BASE
from xinglin.synthetic.followups import Visits
from xinglin.synthetic.health import PROGRAMMES, Episode, Health
from xinglin.synthetic.homes import People
from xinglin.synthetic.hospital import Attendance, emit_attendances
from xinglin.synthetic.plan import FAR, Stream, iso
from xinglin.synthetic.population import Population
from xinglin.synthetic.recording import emit_episode, episode_id
from xinglin.synthetic.residents import emit_copies, tell_person
from xinglin.synthetic.resources import Resource
from xinglin.synthetic.scene import Scene
from xinglin.synthetic.village import Standing

RESIDENCE_STATUS = "urn:xinglin:ext:residence-status"


@dataclass(slots=True)
class Following:
    """Where the follow-up of each person stands, row by row: next day (FAR = none), run of bad visits, last pressure, drift, last visit."""

    next_day: np.ndarray
    bad: np.ndarray
    pressure: np.ndarray
    drift: np.ndarray
    last_day: np.ndarray


@dataclass(slots=True)
class Life:
    """A village on one of the days after the day of data.

    first_number: number of the district's last person on the day of data; random: the day's own; active: programme → row → enrolled now;
    latest: row → last visit with a pressure; stays: row → admission that goes on; drafts: row → follow-up to be completed; calendar: day → what is to happen then.
    """

    standing: Standing
    journal: Journal
    following: Following
    first_number: int
    random: np.random.Generator
    day: int
    active: dict[str, np.ndarray]
    serial: int
    newcomers: int = 0
    latest: dict[int, Visits] = field(default_factory=dict)
    stays: dict[int, Attendance] = field(default_factory=dict)
    drafts: dict[int, Draft] = field(default_factory=dict)
    calendar: dict[int, list[Callable[[], None]]] = field(default_factory=dict)

    @property
    def scene(self) -> Scene:
        """Return the village."""
        return self.standing.scene

    @property
    def people(self) -> People:
        """Return its people."""
        return self.scene.people

    @property
    def population(self) -> Population:
        """Return who they are."""
        return self.scene.people.population

    @property
    def health(self) -> Health:
        """Return their health."""
        return self.scene.health

    def begin(self, day: int) -> None:
        """Go on to a day: its random numbers, late entries, and what was to happen then."""
        self.day = day
        self.random = self.scene.plan.stream(Stream.LIVING, self.scene.village, day)
        self.standing.desk.random = self.standing.reception.random = self.random
        self.journal.begin(day)
        for event in self.calendar.pop(day, ()):
            event()

    def on(self, day: int, event: Callable[[], None]) -> None:
        """Let something happen on a later day."""
        self.calendar.setdefault(max(day, self.day + 1), []).append(event)

    def here(self) -> np.ndarray:
        """Return who lives here today and has no script."""
        return np.asarray(self.population.present(self.day) & (self.population.story == 0))

    def in_bed(self) -> np.ndarray:
        """Return who lies in hospital."""
        mask = np.zeros(len(self.people), dtype=bool)
        mask[list(self.stays)] = True
        return mask

    def happens(self, yearly: np.ndarray | float) -> np.ndarray:
        """Return to whom something of a yearly rate happens today."""
        return self.random.random(len(self.people)) < np.asarray(yearly) / 365.25

    def enrolled(self) -> np.ndarray:
        """Return who is enrolled for hypertension or diabetes."""
        return np.asarray(self.active["hypertension"] | self.active["diabetes2"])

    def meet(self, source: str, row: int) -> None:
        """Let a source know a person from today on."""
        if row not in self.scene.seen.get(source, {}):
            tell_person(self.scene, row, emit_copies(self.random, self.scene, (source, row), 1))
        self.scene.notice(source, row, self.day)

    def attend(self, one: Attendance) -> None:
        """Write a contact with a hospital."""
        self.meet(one.source, one.row)
        emit_attendances(self.standing.reception, [one])

    def enrol(self, row: int, programme: str) -> None:
        """Begin an enrolment today."""
        episode = Episode(row, programme, self.day, FAR, "")
        self.scene.episodes.append(episode)
        self.standing.desk.episodes.setdefault((row, programme), []).append(episode)
        self.active[programme][row] = True
        emit_episode(self.scene, episode)
        if programme != "elderly" and self.following.next_day[row] >= FAR:
            self.following.next_day[row] = self.day + int(self.random.integers(0, 12))

    def release(self, row: int, programme: str, reason: str) -> None:
        """End an enrolment today."""
        own = self.standing.desk.episodes[row, programme]
        ended = replace(own[-1], end=self.day, reason=reason)
        self.scene.episodes[self.scene.episodes.index(own[-1])] = ended
        own[-1] = ended
        self.active[programme][row] = False

        def change(resource: Resource) -> None:
            resource["status"] = "finished"
            resource["period"]["end"] = iso(self.day)
            resource["extension"] = [{"url": "urn:xinglin:ext:exit-reason", "valueCode": reason}]

        self.journal.amend((BASE, "EpisodeOfCare", episode_id(self.scene, ended)), change)
        if not self.enrolled()[row]:
            self.following.next_day[row] = FAR

    def release_all(self, row: int, reason: str) -> list[str]:
        """End every enrolment of a person and return the programmes."""
        ended = [programme for programme in PROGRAMMES if self.active[programme][row]]
        for programme in ended:
            self.release(row, programme, reason)
        return ended

    def amend_file(self, row: int, change: Callable[[Resource], None]) -> None:
        """Alter the health record's first page of a person, in both files where there are two."""
        if self.scene.record[row]:
            for name in (self.scene.patient(BASE, row), self.scene.patient(BASE, row) + "D"):
                if self.journal.holds((BASE, "Patient", name)):
                    self.journal.amend((BASE, "Patient", name), change)

    def remember(self, visits: Visits) -> None:
        """Keep each person's last visit with a pressure."""
        for at in np.flatnonzero(visits.systolic > 0).tolist():
            self.latest[int(visits.row[at])] = visits.take(np.array([at]))


def awaken(standing: Standing, journal: Journal, first_number: int) -> Life:
    """Return the village on its day of data, ready to live on; its columns are its own."""
    scene = standing.scene
    scene.people.population = Population(*(np.array(getattr(scene.people.population, f.name)) for f in fields(Population)))
    count, day = len(scene.people), scene.plan.last_day
    state, visits = standing.state, standing.visits
    following = Following(np.full(count, FAR), np.zeros(count, np.int64), np.zeros(count), np.zeros(count), np.zeros(count, np.int64))
    for name, values in (("next_day", state.day), ("bad", state.bad), ("pressure", state.last), ("drift", state.drift)):
        getattr(following, name)[state.rows] = values
    np.maximum.at(following.last_day, visits.row, visits.day)
    active = {programme: np.zeros(count, dtype=bool) for programme in PROGRAMMES}
    for episode in scene.episodes:
        active[episode.programme][episode.row] |= episode.end == FAR
    standing.desk.on_paper = standing.reception.holds_back = False
    random = scene.plan.stream(Stream.LIVING, scene.village, day)
    life = Life(standing, journal, following, first_number, random, day, active, serial=count)
    journal.today = journal.known_on = day
    standing.desk.random = standing.reception.random = random
    life.remember(visits)
    return life


def grown(columns: Any, **values: Any) -> Any:
    """Return a table of columns with one more row in the columns named."""
    return replace(columns, **{name: np.append(getattr(columns, name), value) for name, value in values.items()})
