"""Follow-ups, referrals, drafts, examinations and immunisations of a village, day by day."""

from __future__ import annotations

from functools import partial

import numpy as np

from xinglin.synthetic.cases import regraded
from xinglin.synthetic.children import Dose, emit_dose
from xinglin.synthetic.continuation.life import Life
from xinglin.synthetic.drafts import FORM, Draft, emit_draft
from xinglin.synthetic.emission import BASE, IMMUNIZATION
from xinglin.synthetic.examinations import STAGE as EXAMINATIONS
from xinglin.synthetic.examinations import Examination, coming, recorded
from xinglin.synthetic.followups import State, Visits, bp_controlled, gathered, step
from xinglin.synthetic.forms import choice, choices, day, words
from xinglin.synthetic.plan import FAR, whole_years
from xinglin.synthetic.recording import Referral, emit_followups
from xinglin.synthetic.resources import Resource, instant

_COMPLETED = 0.25
_DRAFT_DAYS = (14, 28)


def enter_late(life: Life, late: Visits) -> None:
    """Enter visits of the time before the day of data on the later day they are entered."""
    for at in range(len(late)):
        one = late.take(np.array([at]))
        if not life.scene.in_hospital(int(one.row[0]), int(one.day[0])):
            record(life, one)


def live_followups(life: Life) -> None:
    """Let everybody whose follow-up is due today and who is at home have it, unless it is a Sunday."""
    following = life.following
    due = (following.next_day <= life.day) & life.enrolled() & life.here() & ~life.in_bed()
    rows = np.flatnonzero(due) if (life.day + 4) % 7 else np.empty(0, dtype=np.int64)
    if not len(rows):
        return
    spans = tuple(_spans(life.active[programme][rows]) for programme in ("hypertension", "diabetes2"))
    state = State(
        rows, (spans[0], spans[1]), np.full(len(rows), life.day), following.bad[rows], following.pressure[rows], following.drift[rows]
    )
    step(life.random, life.day, (life.people, life.health, life.scene.clinic.traits), state)
    for name, values in (("next_day", state.day), ("bad", state.bad), ("pressure", state.last), ("drift", state.drift)):
        getattr(following, name)[rows] = values
    visits = gathered(state)
    for at in range(len(visits)):
        record(life, visits.take(np.array([at])))


def _spans(enrolled: np.ndarray) -> np.ndarray:
    """Return spans (row, episode, start/end) that are open where enrolled, as `followups.State` wants them."""
    spans = np.full((len(enrolled), 2, 2), FAR)
    spans[enrolled, 0, 0] = 0
    return spans


def record(life: Life, visit: Visits) -> None:
    """Write a visit (one row) on the day it is entered; a referral made at it is answered later."""
    row, made_before = int(visit.row[0]), len(life.standing.desk.referrals)
    life.journal.known_on = max(int(visit.entered[0]), life.day)
    emit_followups(life.standing.desk, visit)
    life.journal.known_on = life.day
    for referral in life.standing.desk.referrals[made_before:]:
        answer_later(life, referral)
    life.following.last_day[row] = max(int(visit.day[0]), int(life.following.last_day[row]))
    life.remember(visit)
    if visit.case[0] == 0 and row in life.drafts:
        _close(life, life.drafts.pop(row), is_complete=False)


def seen_again(life: Life, row: int, case: int) -> None:
    """Write an authenticity case (cases.py) of today: a visit that copies the last one."""
    if row in life.latest:
        one = life.latest[row].take(np.array([0]))
        one.day, one.entered, one.next_day = np.array([life.day]), np.array([life.day]), np.array([life.day + 90])
        one.case, one.refer, one.way = np.array([case]), np.array([0]), np.array([1])
        record(life, regraded(life.scene, one))


def answer_later(life: Life, referral: Referral) -> None:
    """Let the result of a referral be asked for on its day."""
    if referral.answered < FAR and life.population.story[referral.row] == 0:
        life.on(referral.answered, partial(_answer, life, referral))


def _answer(life: Life, referral: Referral) -> None:
    life.journal.amend((BASE, "ServiceRequest", referral.request), lambda resource: resource.update(status="completed"))
    done = {"status": "completed", "lastModified": instant(life.day, 600)}
    life.journal.amend((BASE, "Task", referral.task), lambda resource: resource.update(done))


def begin_draft(life: Life, row: int) -> None:
    """Leave a follow-up to be completed: a pressure taken at the township clinic of one whose last follow-up was not this week."""
    ready = life.active["hypertension"][row] and row not in life.drafts and life.following.last_day[row] < life.day - 5
    if ready and life.scene.record[row]:
        keep_draft(life, emit_draft(life.random, life.scene, row, life.day))


def keep_draft(life: Life, draft: Draft) -> None:
    """Let a draft stand for two to four weeks; then it is completed or given up."""
    if life.population.story[draft.row] == 0:
        life.drafts[draft.row] = draft
        life.on(draft.day + int(life.random.integers(*_DRAFT_DAYS)), partial(_expire, life, draft))


def _expire(life: Life, draft: Draft) -> None:
    if life.drafts.get(draft.row) is draft:
        del life.drafts[draft.row]
        is_complete = life.random.random() < _COMPLETED and bool(life.active["hypertension"][draft.row])
        _close(life, draft, is_complete=is_complete)


def _close(life: Life, draft: Draft, *, is_complete: bool) -> None:
    """Complete a draft, which is then the follow-up that was due, or give it up."""
    states = ("finished", "completed", "completed") if is_complete else ("entered-in-error", "entered-in-error", "cancelled")
    names = (("Encounter", draft.id), ("QuestionnaireResponse", f"{draft.id}-form"), ("Task", f"{draft.id}-todo"))
    for (kind, name), state in zip(names, states, strict=True):
        changes = {"status": state} | ({"lastModified": instant(life.day, 600)} if kind == "Task" else {})
        life.journal.amend((BASE, kind, name), partial(_update, changes))
    if not is_complete:
        return
    birth = life.population.birth[draft.row : draft.row + 1]
    readings = np.array([draft.systolic]), np.array([draft.diastolic])
    is_controlled = bool(bp_controlled(*readings, whole_years(birth, draft.day))[0])
    following, again = life.following, draft.day + (90 if is_controlled else 14)
    following.next_day[draft.row] = max(again, life.day + 1)
    following.bad[draft.row] = 0 if is_controlled else following.bad[draft.row] + 1
    following.pressure[draft.row] = draft.systolic
    following.last_day[draft.row] = max(draft.day, int(following.last_day[draft.row]))
    items = [
        choices(FORM, "symptoms", ("1",)), choice(FORM, "medication_adherence", "1"), choice(FORM, "adverse_reaction", "1"), choice(FORM, "danger_signs", "1"),
        choice(FORM, "outcome_class", "1" if is_controlled else "2"), day("next_visit_date", again), words("doctor", draft.nurse),
    ]  # fmt: skip
    life.journal.amend((BASE, "QuestionnaireResponse", f"{draft.id}-form"), lambda resource: resource["item"].extend(items))
    life.journal.amend((BASE, "Encounter", draft.id), partial(_enter, life.day))


def _update(changes: Resource, resource: Resource) -> None:
    resource.update(changes)


def _enter(when: int, resource: Resource) -> None:
    for extension in resource["extension"]:
        if extension["url"] == "urn:xinglin:ext:entered-on":
            extension["valueDateTime"] = instant(when, 600)


def live_examinations(life: Life) -> None:
    """Let the year's examinations of today take place; some are entered days later."""
    year = life.standing.campaign
    today = year.held == life.day
    if not np.any(today):
        return
    for row in np.flatnonzero(today & coming(life.scene, year, life.enrolled()) & ~life.in_bed()).tolist():
        entered, made = recorded(life.random, life.scene, Examination(row, life.day, bool(year.complete[row])), FAR)
        life.journal.known_on = entered
        for resource in made:
            life.journal.put(BASE, EXAMINATIONS, resource)
    life.journal.known_on = life.day


def give_dose(life: Life, row: int, dose: Dose) -> None:
    """Give a child a dose today, if it is here."""
    if life.population.present(life.day)[row]:
        life.meet(IMMUNIZATION, row)
        emit_dose(life.scene, row, dose, life.day)
