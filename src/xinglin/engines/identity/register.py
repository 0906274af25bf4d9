"""Institutions and practitioners: what the record says of who works where, as tables pages and rules can join."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import asyncpg

from xinglin.base.errors import NotFoundError
from xinglin.engines.identity.keys import DIVISION, extension_value

INSTITUTION_CODE: Final = "urn:oid:2.16.156.10011.1.5"
PRACTITIONER_CODE: Final = "urn:oid:2.16.156.10011.1.4"
_CHANGED: Final = "register"
CLASS_SYSTEM: Final = "urn:xinglin:cs:institution-class"
ROLE_SYSTEM: Final = "urn:xinglin:cs:staff-role"
PRIMARY_CARE_CLASSES: Final = ("B", "C", "D600")


@dataclass(frozen=True, slots=True)
class Institution:
    """A registered Organization. klass: WS 218-2002 class.  area: 12-digit division it serves."""

    rid: int
    code: str
    name: str
    klass: str
    part_of: int | None
    area: int | None

    @property
    def is_primary_care(self) -> bool:
        """Whether it is a primary-care institution (community centre, township hospital, village clinic)."""
        return self.klass.startswith(PRIMARY_CARE_CLASSES)


@dataclass(frozen=True, slots=True)
class Practitioner:
    """A registered practitioner and where they work."""

    rid: int
    code: str
    name: str
    institution: int | None
    role: str | None


def code_of(resource: Mapping[str, Any], system: str) -> str | None:
    """Return the value of the identifier of a system, None where there is none."""
    for identifier in resource.get("identifier") or ():
        if identifier.get("system") == system and identifier.get("value"):
            return str(identifier["value"])
    return None


def _coding(concepts: Any, system: str) -> str:
    for concept in concepts or ():
        for coding in concept.get("coding") or ():
            if coding.get("system") == system:
                return str(coding.get("code", ""))
    return ""


class Register:
    """Reads and writes the tables `institution` and `practitioner`."""

    async def note(
        self, connection: asyncpg.Connection[Any], stored: Sequence[tuple[int, Mapping[str, Any]]], rids: Mapping[str, int]
    ) -> None:
        """Bring the tables up to date with stored Organizations, Practitioners and PractitionerRoles.

        stored: (rid, resource as stored).  rids: "Type/id" → rid for the references inside them.
        Records without a registered code are kept in the store and left out here.
        """
        for rid, resource in sorted(stored, key=lambda item: item[1]["resourceType"]):
            if resource["resourceType"] == "Organization":
                await self._institution(connection, rid, resource, rids)
            elif resource["resourceType"] == "Practitioner":
                await self._practitioner(connection, rid, resource)
            else:
                await self._role(connection, resource, rids)
        if any(code_of(resource, system) for _, resource in stored for system in (INSTITUTION_CODE, PRACTITIONER_CODE)):
            await connection.execute(
                "insert into installation (name, value, changed_at) values ($1, gen_random_uuid()::text, now())"
                " on conflict (name) do update set value = excluded.value, changed_at = excluded.changed_at",
                _CHANGED,
            )

    async def stamp(self, connection: asyncpg.Connection[Any]) -> str:
        """Return a text that is another one after every committed change of codes, whichever process made it: what a copy is good for."""
        found: str | None = await connection.fetchval("select value from installation where name = $1", _CHANGED)
        return found or ""

    async def directory(self, connection: asyncpg.Connection[Any]) -> dict[tuple[str, str], str]:
        """Return (Organization or Practitioner, registered code) → id in the store."""
        rows = await connection.fetch(
            """select 'Organization' as rtype, i.code, n.id from institution i join ident n on n.rid = i.rid
               union all select 'Practitioner', p.code, n.id from practitioner p join ident n on n.rid = p.rid"""
        )
        return {(row["rtype"], row["code"]): row["id"] for row in rows}

    async def _institution(
        self, connection: asyncpg.Connection[Any], rid: int, resource: Mapping[str, Any], rids: Mapping[str, int]
    ) -> None:
        code = code_of(resource, INSTITUTION_CODE)
        if code is None:
            return
        area = extension_value(resource, DIVISION)
        await connection.execute(
            """insert into institution (rid, code, name, class, part_of, area) values ($1, $2, $3, $4, $5, $6)
               on conflict (rid) do update set code = excluded.code, name = excluded.name, class = excluded.class,
               part_of = excluded.part_of, area = excluded.area""",
            rid, code, resource.get("name", code), _coding(resource.get("type"), CLASS_SYSTEM),
            rids.get((resource.get("partOf") or {}).get("reference", "")), int(area) if area else None,
        )  # fmt: skip

    async def _practitioner(self, connection: asyncpg.Connection[Any], rid: int, resource: Mapping[str, Any]) -> None:
        code = code_of(resource, PRACTITIONER_CODE)
        if code is None:
            return
        names = resource.get("name") or [{}]
        name = names[0].get("text") or f"{names[0].get('family', '')}{''.join(names[0].get('given', ()))}"
        await connection.execute(
            """insert into practitioner (rid, code, name) values ($1, $2, $3)
               on conflict (rid) do update set code = excluded.code, name = excluded.name""",
            rid, code, name or code,
        )  # fmt: skip

    async def _role(self, connection: asyncpg.Connection[Any], resource: Mapping[str, Any], rids: Mapping[str, int]) -> None:
        practitioner = rids.get((resource.get("practitioner") or {}).get("reference", ""))
        organization = rids.get((resource.get("organization") or {}).get("reference", ""))
        if practitioner is not None:
            await connection.execute(
                "update practitioner set institution = $2, role = $3 where rid = $1",
                practitioner, organization, _coding(resource.get("code"), ROLE_SYSTEM) or None,
            )  # fmt: skip

    async def institutions(self, connection: asyncpg.Connection[Any]) -> list[Institution]:
        """Return every registered institution by code."""
        rows = await connection.fetch('select rid, code, name, class as "klass", part_of, area from institution order by code')
        return [Institution(**dict(row)) for row in rows]

    async def institution(self, connection: asyncpg.Connection[Any], code: str) -> Institution:
        """Return the institution of a code.  Raises: NotFoundError."""
        row = await connection.fetchrow('select rid, code, name, class as "klass", part_of, area from institution where code = $1', code)
        if row is None:
            raise NotFoundError("没有登记这个机构编码", "no institution is registered under this code", where=code)
        return Institution(**dict(row))

    async def practitioners(self, connection: asyncpg.Connection[Any], institution: int | None = None) -> list[Practitioner]:
        """Return the practitioners of an institution, or all, by code."""
        rows = await connection.fetch(
            "select rid, code, name, institution, role from practitioner where $1::bigint is null or institution = $1 order by code",
            institution,
        )
        return [Practitioner(**dict(row)) for row in rows]
