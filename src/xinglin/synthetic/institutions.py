"""Institutions and staff of the invented county, and how each institution works (the truth behind its figures)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from xinglin.synthetic.names import person_names
from xinglin.synthetic.numbers import COUNTY, INSTITUTION_CODE, PRACTITIONER_NUMBER, institution_code
from xinglin.synthetic.places import COUNTY_NAME, Places
from xinglin.synthetic.plan import Plan, Stream

_TITLES: Final = {
    "village_doctor": "乡村医生", "responsible_doctor": "责任医生", "nurse": "护士",
    "public_health": "公卫专干", "physician": "临床医师", "leader": "机构负责人",
}  # fmt: skip
_TOWN_STAFF: Final = ("leader", "responsible_doctor", "responsible_doctor", "nurse", "nurse", "public_health", "physician", "physician")
_COUNTY_STAFF: Final = ("leader", "physician", "physician", "physician", "physician", "physician", "nurse", "nurse")

# fractional parts of irrational numbers: the steps between the quantiles of successive institutions
_STEPS: Final = (0.6180340, 0.4142136, 0.7320508, 0.2360680, 0.6457513)


@dataclass(frozen=True, slots=True)
class Practitioner:
    """One member of staff: number, name, role (urn:xinglin:cs:staff-role)."""

    number: str
    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Traits:
    """How an institution works; every share is 0 to 1.

    diligence: a due visit takes place; control_mmhg: added to the pressure of the treated; coded: diagnoses with a code;
    late: visits entered days later; round_digits: readings rounded to 0 or 5; copied: readings repeated from the last visit;
    by_phone: weight of the telephone among the ways; traced: referrals whose result is asked for in time; examined: the yearly
    examination takes place.
    """

    diligence: float
    control_mmhg: float
    coded: float
    late: float
    round_digits: float
    copied: float
    by_phone: float
    traced: float
    examined: float


@dataclass(frozen=True, slots=True)
class Institution:
    """An institution: code, class (WS 218-2002), name, area served (12 digits), code of the one above, staff, traits."""

    code: str
    institution_class: str
    name: str
    area: int
    part_of: str | None
    staff: tuple[Practitioner, ...]
    traits: Traits

    def one_of(self, role: str, turn: int = 0) -> Practitioner:
        """Return a member of staff with the role (the `turn`-th, round and round), or anybody where the role is missing."""
        fitting = [p for p in self.staff if p.role == role] or list(self.staff)
        return fitting[turn % len(fitting)]


@dataclass(frozen=True, slots=True)
class Institutions:
    """All institutions: commission, CDC, MCH and county hospital, a hospital per town, a clinic per village."""

    commission: Institution
    cdc: Institution
    maternal_child: Institution
    hospital: Institution
    township: tuple[Institution, ...]
    clinics: tuple[Institution, ...]

    @property
    def all(self) -> tuple[Institution, ...]:
        """Return every institution, the ones above first."""
        return (self.commission, self.cdc, self.maternal_child, self.hospital, *self.township, *self.clinics)


def _trait_pools(random: np.random.Generator) -> dict[str, np.ndarray]:
    """Return a sorted sample of each trait's distribution."""
    size = 2000
    drawn = {
        "diligence": random.beta(40, 1.7, size), "control_mmhg": random.normal(0, 2.6, size), "coded": random.beta(16, 2, size),
        "late": random.beta(1.5, 14, size), "round_digits": random.beta(1.3, 7, size), "copied": random.beta(0.8, 40, size),
        "by_phone": random.beta(2, 22, size), "traced": random.beta(8, 3, size), "examined": random.beta(42, 8.5, size),
    }  # fmt: skip
    return {name: np.sort(values) for name, values in drawn.items()}


class _Hiring:
    """Gives consecutive numbers and names to institutions and staff of one generation run."""

    def __init__(self, plan: Plan) -> None:
        self._names = plan.stream(Stream.STAFF)
        self._pools = _trait_pools(plan.stream(Stream.TRAITS))
        self._starts = dict(zip(self._pools, plan.stream(Stream.TRAITS, 1).random(len(self._pools)).tolist(), strict=True))
        self._drawn: dict[str, int] = {}
        self._institutions = 0
        self._staff = 0

    def found(self, kind: tuple[str, str, int], part_of: str | None, roles: tuple[str, ...]) -> Institution:
        self._institutions += 1
        institution_class, name, area = kind
        code = institution_code(self._institutions, institution_class)
        names = person_names(self._names, np.array([1 + (self._staff + k) % 2 for k in range(len(roles))]), np.full(len(roles), 1))
        staff = tuple(
            Practitioner(f"{COUNTY}{self._staff + k + 1:07d}", surname + given, role)
            for k, (role, (surname, given)) in enumerate(zip(roles, names, strict=True))
        )
        self._staff += len(roles)
        traits = self._draw(institution_class[0])
        if institution_class == "D600" and self._institutions % 6 == 5:  # one clinic in six rounds nearly everything
            traits = replace(traits, round_digits=0.85)
        return Institution(code, institution_class, name, area, part_of, staff, traits)

    def _draw(self, letter: str) -> Traits:
        """Draw traits so that even three institutions of a class spread over the distributions (quantiles a golden step apart)."""
        turn = self._drawn[letter] = self._drawn.get(letter, -1) + 1
        places = {name: (start + turn * _STEPS[n % len(_STEPS)]) % 1.0 for n, (name, start) in enumerate(self._starts.items())}
        return Traits(**{name: float(pool[int(places[name] * len(pool))]) for name, pool in self._pools.items()})


def make_institutions(plan: Plan, places: Places) -> Institutions:
    """Return the institutions of the places; staff grows with the population served."""
    hiring = _Hiring(plan)
    county = COUNTY * 10**6
    commission = hiring.found(("P911", f"{COUNTY_NAME}卫生健康委员会办公室", county), None, ("leader", "leader"))
    cdc = hiring.found(("J100", f"{COUNTY_NAME}疾病预防控制中心", county), commission.code, ("leader", "public_health", "public_health"))
    mch = hiring.found(("G200", f"{COUNTY_NAME}妇幼保健所", county), commission.code, ("leader", "physician", "nurse"))
    physicians = ("physician",) * max(0, int(plan.residents / 2500) - 5)
    hospital = hiring.found(("A100", f"{COUNTY_NAME}人民医院", county), commission.code, _COUNTY_STAFF + physicians)
    per_town = plan.residents / len(places.towns)
    township = tuple(
        hiring.found(
            ("C210" if town.is_central else "C220", town.name + ("中心卫生院" if town.is_central else "卫生院"), town.code),
            commission.code,
            _TOWN_STAFF + ("responsible_doctor", "nurse", "physician") * int(per_town / 8000),
        )
        for town in places.towns
    )
    per_village = plan.residents / len(places.villages)
    clinics = tuple(
        hiring.found(
            ("D600", village.name + "卫生室", village.code),
            township[village.town].code,
            ("village_doctor",) * (1 + int(per_village * village.weight / 1200)),
        )
        for village in places.villages
    )
    return Institutions(commission, cdc, mch, hospital, township, clinics)


def organization(institution: Institution, by_code: dict[str, str]) -> dict[str, Any]:
    """Return the Organization; `by_code` maps institution codes to ids of this file."""
    resource: dict[str, Any] = {
        "resourceType": "Organization",
        "id": by_code[institution.code],
        "extension": [{"url": "urn:xinglin:ext:division", "valueCode": f"{institution.area:012d}"}],
        "identifier": [{"system": INSTITUTION_CODE, "value": institution.code}],
        "active": True,
        "type": [{"coding": [{"system": "urn:xinglin:cs:institution-class", "code": institution.institution_class}]}],
        "name": institution.name,
    }
    if institution.part_of:
        resource["partOf"] = {"reference": f"Organization/{by_code[institution.part_of]}"}
    return resource


def organizations(institutions: Institutions) -> list[dict[str, Any]]:
    """Return all Organizations, the ones above first; the id is `org-` + the institution code."""
    by_code = {i.code: f"org-{i.code}" for i in institutions.all}
    return [organization(i, by_code) for i in institutions.all]


def practitioners(institutions: Institutions) -> list[dict[str, Any]]:
    """Return Practitioner and PractitionerRole of all staff; the institution is referred to by its code."""
    found: list[dict[str, Any]] = []
    for institution in institutions.all:
        for person in institution.staff:
            found.append({
                "resourceType": "Practitioner", "id": f"prac-{person.number}", "active": True,
                "identifier": [{"system": PRACTITIONER_NUMBER, "value": person.number}], "name": [{"text": person.name}],
            })  # fmt: skip
            found.append({
                "resourceType": "PractitionerRole", "id": f"role-{person.number}", "active": True,
                "practitioner": {"reference": f"Practitioner/prac-{person.number}"},
                "organization": {"type": "Organization", "identifier": {"system": INSTITUTION_CODE, "value": institution.code}},
                "code": [{"coding": [{"system": "urn:xinglin:cs:staff-role", "code": person.role, "display": _TITLES[person.role]}]}],
            })  # fmt: skip
    return found
