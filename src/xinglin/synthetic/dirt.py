"""Damage done to a source's copy of a person's particulars, with the truth told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

import numpy as np

from xinglin.synthetic.names import look_alike

# share of copies that carry each damage, by kind of source; error model of this generator
RATES: Final = {
    "base-platform": {"missing_id": 0.012, "name_variant": 0.008, "wrong_birth_day": 0.005, "wrong_check": 0.002, "swapped_digits": 0.002, "missing_phone": 0.05, "old_phone": 0.03, "clerk_phone": 0.01, "unknown_sex": 0.001},
    "county-his": {"missing_id": 0.045, "name_variant": 0.015, "wrong_birth_day": 0.008, "wrong_check": 0.003, "swapped_digits": 0.004, "missing_phone": 0.12, "old_phone": 0.10, "clerk_phone": 0.0, "unknown_sex": 0.003},
    "township-his": {"missing_id": 0.03, "name_variant": 0.02, "wrong_birth_day": 0.01, "wrong_check": 0.004, "swapped_digits": 0.004, "missing_phone": 0.15, "old_phone": 0.08, "clerk_phone": 0.02, "unknown_sex": 0.003},
    "immunization": {"missing_id": 0.15, "name_variant": 0.02, "wrong_birth_day": 0.004, "wrong_check": 0.002, "swapped_digits": 0.002, "missing_phone": 0.02, "old_phone": 0.05, "clerk_phone": 0.0, "unknown_sex": 0.002},
}  # fmt: skip
KINDS: Final = tuple(RATES["base-platform"])


@dataclass(frozen=True, slots=True)
class Particulars:
    """A source's copy: name, sex (1, 2, 0 unknown), birth date YYYY-MM-DD, ID number or None, phone or None."""

    surname: str
    given: str
    sex: int
    birth: str
    id_number: str | None
    phone: str | None


def damage(random: np.random.Generator, source: str, true: Particulars, clerk_phone: str) -> tuple[Particulars, list[str]]:
    """Return the copy as the source holds it and the names of what is wrong with it."""
    rates = RATES[source]
    draws = random.random(len(KINDS)).tolist()
    digit = int(random.integers(0, 9))
    copy, done = true, []
    for kind, draw in zip(KINDS, draws, strict=True):
        if draw < rates[kind]:
            changed = apply(kind, copy, digit, clerk_phone)
            if changed != copy:
                copy = changed
                done.append(kind)
    return copy, done


def apply(kind: str, copy: Particulars, digit: int, clerk_phone: str) -> Particulars:
    """Return the copy with one kind of damage; unchanged where it cannot carry it. `digit` (0 to 8) decides the details."""
    number = copy.id_number
    if kind == "missing_id":
        return replace(copy, id_number=None)
    if kind == "name_variant":
        return replace(copy, given=look_alike(copy.given) or copy.given)
    if kind == "wrong_birth_day":
        moved = date.fromisoformat(copy.birth) + timedelta(days=(-10, -1, 1, 9, 10, -30, 31, 2, -2)[digit])
        return replace(copy, birth=moved.isoformat())
    if kind == "wrong_check" and number:
        return replace(copy, id_number=number[:17] + "0123456789X"[("0123456789X".index(number[17]) + 1 + digit) % 11])
    if kind == "swapped_digits" and number:
        place = 9 + digit % 7
        return replace(copy, id_number=number[:place] + number[place + 1] + number[place] + number[place + 2 :])
    if kind == "missing_phone":
        return replace(copy, phone=None)
    if kind == "old_phone" and copy.phone:
        return replace(copy, phone=copy.phone[:10] + str((int(copy.phone[10]) + 1 + digit) % 10))
    if kind == "clerk_phone":
        return replace(copy, phone=clerk_phone)
    return replace(copy, sex=0) if kind == "unknown_sex" else copy
