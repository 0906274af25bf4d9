"""Births, deaths, moves and new records of a village, day by day."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import partial

import numpy as np

from xinglin.synthetic.cases import AFTER_DEATH
from xinglin.synthetic.children import draw_doses
from xinglin.synthetic.continuation.care import give_dose, seen_again
from xinglin.synthetic.continuation.life import RESIDENCE_STATUS, Life, grown
from xinglin.synthetic.emission import BASE, COUNTY_HIS
from xinglin.synthetic.health import Health, draw_intent, health_of
from xinglin.synthetic.homes import People
from xinglin.synthetic.hospital import DIES_IN_HOSPITAL, Attendance
from xinglin.synthetic.names import cohort_of, draw_surnames, given_names
from xinglin.synthetic.numbers import COUNTY, OTHER_COUNTIES, id_numbers, record_number
from xinglin.synthetic.plan import FAR, YEAR, iso, table, year_of
from xinglin.synthetic.population import Population
from xinglin.synthetic.residents import draw_copies, emit_copies, emit_household, emit_mother, tell_person
from xinglin.synthetic.resources import Resource

_RETURN_DAYS = (60, 540)
_SLOTS = 449


@dataclass(frozen=True, slots=True)
class Newcomer:
    """Who comes: sex, birth, arrival (-FAR = born here), mother's row or -1, surname, given name, ID number."""

    sex: int
    birth: int
    arrive: int
    mother: int
    surname: str
    given: str
    id_number: str


def open_waiting_records(life: Life) -> None:
    """Let those who came shortly before the day of data have their record opened in the weeks after."""
    since = np.maximum(life.population.birth, life.population.arrive)
    for row in np.flatnonzero((since > life.day - 40) & life.here()).tolist():
        if not life.scene.record[row]:
            _record_later(life, row, int(life.random.integers(1, 36)))


def live_people(life: Life, births_a_year: float) -> None:
    """Let today's deaths, departures, returns, arrivals and births happen. births_a_year: per woman of 20 to 38."""
    _die(life)
    _leave(life)
    _return(life)
    _arrive(life)
    _bear(life, births_a_year)


def _die(life: Life) -> None:
    rates = table("rates")["population"]
    male = life.population.sex == 1
    level = np.where(male, rates["gompertz_male"][0], rates["gompertz_female"][0])
    age = (life.day - life.population.birth) / YEAR
    dies = life.happens(level * np.exp(rates["gompertz_male"][1] * age)) & life.here()
    for row in np.flatnonzero(dies).tolist():
        _last_days(life, row)
        life.population.death[row] = life.day
        again, late = life.random.random() < AFTER_DEATH, life.day + int(life.random.integers(3, 26))
        if life.enrolled()[row] and again:
            life.on(late, partial(seen_again, life, row, 2))
        life.release_all(row, "died")
        life.amend_file(row, lambda resource: resource.update(deceasedDateTime=iso(life.day)))


def _last_days(life: Life, row: int) -> None:
    """Write the admission that ends in death: the one that goes on, or in a third of the deaths one of the last days."""
    stay, draw = int(life.random.integers(1, 9)), life.random.random()
    going_on = life.stays.pop(row, None)
    if going_on is not None:
        life.attend(replace(going_on, end=life.day, died=True))
        return
    first = life.day - stay
    free = life.following.last_day[row] < first and not any(life.scene.in_hospital(row, day) for day in range(first, life.day))
    if draw < DIES_IN_HOSPITAL and free and bool(life.population.present(first)[row]):
        life.scene.admissions.setdefault(row, []).append((first, life.day))
        life.attend(Attendance(row, "inpatient", first, life.day, COUNTY_HIS, died=True))


def _mobility(life: Life) -> np.ndarray:
    age = (life.day - life.population.birth) / YEAR
    return np.where((age > 17) & (age < 45), 1.6, np.where(age >= 65, 0.35, 0.8)) * (life.population.birth + 60 < life.day)


def _leave(life: Life) -> None:
    share = table("rates")["population"]["moved_out_share"] / life.scene.plan.span_years
    for row in np.flatnonzero(life.happens(share * _mobility(life)) & life.here() & ~life.in_bed()).tolist():
        life.population.leave[row], life.population.back[row] = life.day, FAR
        life.release_all(row, "moved_out")

        def change(resource: Resource) -> None:
            resource["address"][0].setdefault("period", {})["end"] = iso(life.day)
            _set_status(resource, "moved_out")

        life.amend_file(row, change)


def _return(life: Life) -> None:
    """Let some of those who left come back; who was enrolled when leaving is enrolled again within weeks."""
    population = life.population
    away = life.day - population.leave
    low, high = _RETURN_DAYS
    rate = table("rates")["population"]["moved_back_share"] * 365.25 / (high - low)
    gone = (population.back >= FAR) & (population.death >= FAR) & (population.story == 0) & (away >= low) & (away < high)
    for row in np.flatnonzero(life.happens(rate) & gone).tolist():
        left = int(population.leave[row])
        population.back[row] = life.day

        def change(resource: Resource) -> None:
            resource["address"][0]["period"] = {"start": iso(life.day)}
            _set_status(resource, "resident")

        life.amend_file(row, change)
        for programme in [e.programme for e in life.scene.episodes if (e.row, e.end, e.reason) == (row, left, "moved_out")]:
            life.on(life.day + 5 + int(life.random.integers(0, 50)), partial(_enrol_again, life, row, programme))


def _enrol_again(life: Life, row: int, programme: str) -> None:
    if life.here()[row] and not life.active[programme][row]:
        life.enrol(row, programme)


def _set_status(resource: Resource, status: str) -> None:
    for extension in resource["extension"]:
        if extension["url"] == RESIDENCE_STATUS:
            extension["valueCode"] = status


def _arrive(life: Life) -> None:
    """Let grown-ups move in, aged like those who live here and move."""
    adults = np.flatnonzero(life.here() & (life.population.birth < life.day - 18 * YEAR))
    weight = _mobility(life)[adults]
    yearly = table("rates")["population"]["moved_in_share"] / life.scene.plan.span_years
    for _ in range(int(life.random.poisson(yearly * float(weight.sum()) / 365.25)) if len(adults) else 0):
        like = int(life.random.choice(adults, p=weight / weight.sum()))
        sex = int(life.population.sex[like])
        birth = min(int(life.population.birth[like]) + int(life.random.integers(-700, 700)), life.day - int(18 * YEAR))
        area = OTHER_COUNTIES[int(life.random.integers(0, 2))]
        surname, given = draw_surnames(life.random, 1)[0], _given(life, sex, birth)
        birth, number = _unused_number(life, area, birth, sex)
        _come(life, Newcomer(sex, birth, life.day, -1, surname, given, number))


def _bear(life: Life, yearly: float) -> None:
    """Let women of 20 to 38 have children, siblings at least ten months apart; one child of a sex per village and day."""
    population, people = life.population, life.people
    age = (life.day - population.birth) / YEAR
    bears = life.happens(yearly) & life.here() & (population.sex == 2) & (age >= 20) & (age < 38)
    for mother in np.flatnonzero(bears).tolist():
        sex = 1 if life.random.random() < 0.52 else 2
        number = _newborn_number(life, sex)
        siblings = population.birth[people.mother == mother]
        if np.any(siblings > life.day - 300) or number in life.population.id_number:
            continue
        father = int(people.head[mother])
        given = _given(life, sex, life.day)
        row = _come(life, Newcomer(sex, life.day, -FAR, mother, people.surname[father], given, number))
        for day, dose in draw_doses(life.random, life.day):
            if day > life.day:
                life.on(day, partial(give_dose, life, row, dose))
            else:
                give_dose(life, row, dose)


def _given(life: Life, sex: int, birth: int) -> str:
    return given_names(life.random, np.array([sex]), cohort_of(year_of(np.array([birth]))))[0]


def _newborn_number(life: Life, sex: int) -> str:
    """Return the ID number of a child born here today: a sequence per village, so that no two villages give the same."""
    return _number(COUNTY, life.day, 2 * (life.scene.village % 499) + sex)


def _unused_number(life: Life, area: int, birth: int, sex: int) -> tuple[int, str]:
    """Return (birth day, ID number) of one who moves in: the last sequences of the day, which those of the first day leave free."""
    while True:
        number = _number(area, birth, 2 * (498 - life.scene.village % _SLOTS) + sex)
        if number not in life.population.id_number:
            return birth, number
        birth -= 1


def _number(area: int, birth: int, sequence: int) -> str:
    return str(id_numbers(np.array([area]), np.array([birth]), np.array([sequence]))[0])


def _come(life: Life, who: Newcomer) -> int:
    """Add a person to every table of the village and return the row; the record is opened within weeks."""
    scene, people, random = life.scene, life.people, life.random
    row, villages = len(people), len(scene.world.places.villages)
    number = life.first_number + 1 + scene.village + life.newcomers * villages
    life.newcomers += 1
    child = who.mother >= 0
    household = int(people.household[who.mother]) if child else int(people.household.max()) + 1
    door = int(people.door[who.mother]) if child else int(people.door.max()) + 1
    population = grown(
        people.population, person=number, village=scene.village, sex=who.sex, birth=who.birth, death=FAR, arrive=who.arrive, leave=FAR, back=FAR,
        id_number=who.id_number, registered=child, story=0,
    )  # fmt: skip
    phone = (int(people.population.person[who.mother]) if child else number) - 1
    table_of: People = grown(
        replace(people, population=population, surname=[*people.surname, who.surname], given=[*people.given, who.given]),
        household=household, head=int(people.head[who.mother]) if child else row, mother=who.mother, phone=phone, door=door, group=(door - 1) // 30 + 1,
        opened=FAR, ethnicity=int(people.ethnicity[who.mother]) if child else 1, payment=2,
    )  # fmt: skip
    scene.people = table_of
    alone = Population(*(getattr(population, f.name)[-1:] for f in fields(Population)))
    drawn = health_of(random, life.day, alone, scene.clinic.traits)
    scene.health = Health(*(np.concatenate([getattr(scene.health, f.name), getattr(drawn, f.name)]) for f in fields(Health)))
    _widen(life)
    _record_later(life, row, int(random.integers(5, 40)))
    return row


def _widen(life: Life) -> None:
    """Give the new person a place in the tables of what is under way."""
    standing, random = life.standing, life.random
    life.scene.record.append("")
    life.following = grown(life.following, next_day=FAR, bad=0, pressure=0.0, drift=0.0, last_day=0)
    for programme in life.active:
        life.active[programme] = np.append(life.active[programme], False)
        one, intents = draw_intent(random, programme, 1), life.scene.intents
        intents[programme] = grown(intents[programme], willing=one.willing, delay=one.delay)
    standing.campaign = grown(standing.campaign, held=FAR, reluctance=random.random(), complete=True)
    standing.contracts = grown(standing.contracts, signed=FAR, reluctance=random.random())


def _record_later(life: Life, row: int, days: int) -> None:
    if life.random.random() < table("rates")["population"]["record_share"]:
        life.on(life.day + days, partial(_open_record, life, row))


def _open_record(life: Life, row: int) -> None:
    """Open a health record: the first page (some by mistake twice), the household, a child's mother."""
    scene, people = life.scene, life.people
    if not life.population.present(life.day)[row]:
        return
    life.serial += 1
    scene.record[row] = record_number(scene.code, life.serial)
    people.opened[row] = life.day
    tell_person(scene, row, emit_copies(life.random, scene, (BASE, row), draw_copies(life.random)))
    household = int(people.household[row])
    emit_household(scene, household, [r for r in np.flatnonzero(people.household == household).tolist() if scene.record[r]])
    if people.population.birth[row] >= scene.plan.first_day:
        emit_mother(scene, row)
