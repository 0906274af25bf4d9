"""Outpatient visits and admissions of a village, day by day."""

from __future__ import annotations

from functools import partial

import numpy as np

from xinglin.synthetic.cases import IN_ADMISSION
from xinglin.synthetic.continuation.care import begin_draft, seen_again
from xinglin.synthetic.continuation.life import Life
from xinglin.synthetic.emission import COUNTY_HIS, TOWNSHIP_HIS
from xinglin.synthetic.hospital import AT_TOWN, IN_COUNTY, Attendance, inpatient_rate, outpatient_rate
from xinglin.synthetic.plan import table


def live_hospitals(life: Life) -> None:
    """Let people see a doctor or be admitted today; an admission is sent when it ends."""
    urgent_share = table("rates")["visits"]["emergency_share"]
    for row in np.flatnonzero(life.happens(outpatient_rate(life.scene, life.day)) & life.here() & ~life.in_bed()).tolist():
        at_town, is_urgent = life.random.random() < AT_TOWN, life.random.random() < urgent_share
        source = TOWNSHIP_HIS if at_town and not is_urgent else COUNTY_HIS
        life.attend(Attendance(row, "emergency" if is_urgent else "outpatient", life.day, life.day, source))
        if source == TOWNSHIP_HIS:
            begin_draft(life, row)
    admitted = life.happens(inpatient_rate(life.scene, life.day)) & life.here() & ~life.in_bed() & (life.following.last_day < life.day)
    for row in np.flatnonzero(admitted).tolist():
        _admit(life, row)


def _admit(life: Life, row: int) -> None:
    end = life.day + 3 + int(life.random.poisson(5))
    stay = Attendance(row, "inpatient", life.day, end, COUNTY_HIS if life.random.random() < IN_COUNTY else TOWNSHIP_HIS)
    life.stays[row] = stay
    life.scene.admissions.setdefault(row, []).append((life.day, end))
    life.on(end, partial(_discharge, life, stay))
    if life.enrolled()[row] and life.random.random() < IN_ADMISSION:
        life.on(life.day + 1 + int(life.random.integers(0, end - life.day - 1)), partial(_visit_in_bed, life, stay))


def _discharge(life: Life, stay: Attendance) -> None:
    if life.stays.get(stay.row) is stay:
        del life.stays[stay.row]
        life.attend(stay)


def _visit_in_bed(life: Life, stay: Attendance) -> None:
    """Write a follow-up of one who lies in hospital, as one was found before (authenticity case 3)."""
    if life.stays.get(stay.row) is stay and life.enrolled()[stay.row]:
        seen_again(life, stay.row, 3)
