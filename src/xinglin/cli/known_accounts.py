"""The known accounts of a demonstration: one per role that has a page, where the stories happen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from xinglin.assembly import Platform
from xinglin.base.settings import DEMO_PASSWORD
from xinglin.engines.identity import Institution, Practitioner
from xinglin.engines.security import DemoAccount, NewMembership

TOWN_ROLES = ("responsible_doctor", "nurse", "public_health", "leader")
COUNTY_ROLES = ("county", "cdc", "steward")
OFFICERS = ("sysadmin", "secadmin", "auditor")


async def make_accounts(platform: Platform, stories: Sequence[Mapping[str, Any]]) -> None:
    """Make the known accounts, and a second responsible doctor in another township.

    stories: residents with a script, of the manifest: the village doctor works in the first one's clinic, the township's people in its township.
    """
    async with platform.database.connection() as connection:
        institutions = await platform.register.institutions(connection)
        staff = await platform.register.practitioners(connection)
    for login, role, place in placed(institutions, stories):
        await _make(platform, (login, role, place), staff)
    for role in OFFICERS:
        title = platform.security.roles.role(role).name("zh")
        await platform.security.setup.add_demo_account(DemoAccount(role, title, DEMO_PASSWORD, NewMembership(role)))


def placed(institutions: Sequence[Institution], stories: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, Institution]]:
    """Return (login, role, institution) of every account that has a place."""
    by_code = {item.code: item for item in institutions}
    towns = sorted((item for item in institutions if item.klass.startswith("C")), key=lambda item: item.code)
    town = by_code[stories[0]["township"]] if stories else towns[0]
    clinics = sorted((item for item in institutions if item.klass == "D600" and item.part_of == town.rid), key=lambda item: item.code)
    clinic = by_code[stories[0]["clinic"]] if stories else (clinics or [town])[0]
    neighbour = next((item for item in towns if item.rid != town.rid), town)
    office = next(item for item in institutions if item.part_of is None)
    cdc = next((item for item in institutions if item.klass == "J100"), office)
    return [
        ("village_doctor", "village_doctor", clinic),
        *((role, role, town) for role in TOWN_ROLES),
        ("neighbour_doctor", "responsible_doctor", neighbour),
        *((role, role, cdc if role == "cdc" else office) for role in COUNTY_ROLES),
    ]


async def _make(platform: Platform, wanted: tuple[str, str, Institution], staff: Sequence[Practitioner]) -> None:
    login, role, place = wanted
    person = next((item for item in staff if item.institution == place.rid and item.role == role), None)
    name = person.name if person else platform.security.roles.role(role).name("zh")
    membership = NewMembership(role, place.rid, (place.area,) if place.area is not None else ())
    await platform.security.setup.add_demo_account(DemoAccount(login, name, DEMO_PASSWORD, membership, person.rid if person else None))
