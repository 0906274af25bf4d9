"""A small district on a fresh database: a platform, three institutions, residents with follow-ups, accounts signed in by role."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from xinglin.assembly import Platform, assemble
from xinglin.base.settings import Settings
from xinglin.engines.exchange import Entry, Submission
from xinglin.engines.geo import Division, level_of, parent_of
from xinglin.engines.identity import check_digit
from xinglin.engines.security import ActingFor, Scope

ZONE = ZoneInfo("Asia/Shanghai")
COUNTY = (420999000000, 420999999999)
EAST = (420999101000, 420999101999)
WEST = (420999102000, 420999102999)
HIS = "township-his"
ENOUGH = timedelta(minutes=10)


def seconds_to_a_day_that_lasts() -> float:
    """Return how long to wait where the district's day is nearly over, else nought: tests that share a district share its day."""
    now = datetime.now(ZONE)
    left = datetime.combine(now.date() + timedelta(days=1), time(), ZONE) - now
    return left.total_seconds() + 1 if left < ENOUGH else 0.0


def id_number(serial: int, born: str = "19600512") -> str:
    """Return a valid ID number that can be nobody's."""
    body = f"420999{born}{serial:03d}"
    return body + check_digit(body)


def organization(code: str, klass: str, name: str, area: int) -> dict[str, Any]:
    """Return an institution."""
    return {
        "resourceType": "Organization", "id": code, "name": name,
        "identifier": [{"system": "urn:oid:2.16.156.10011.1.5", "value": code}],
        "type": [{"coding": [{"system": "urn:xinglin:cs:institution-class", "code": klass}]}],
        "extension": [{"url": "urn:xinglin:ext:division", "valueCode": str(area)}],
    }  # fmt: skip


def resident(serial: int, name: str, area: int, keeper: str, **more: Any) -> dict[str, Any]:
    """Return a resident's source record."""
    return {
        "resourceType": "Patient", "id": f"p{serial}", "name": [{"text": name}], "gender": "female", "birthDate": "1960-05-12",
        "identifier": [{"system": "urn:oid:2.16.156.10011.1.3", "value": id_number(serial)}],
        "telecom": [{"system": "phone", "value": f"1380000{serial:04d}"}],
        "address": [{"extension": [{"url": "urn:xinglin:ext:division", "valueCode": str(area)}]}],
        "managingOrganization": {"type": "Organization", "identifier": {"system": "urn:oid:2.16.156.10011.1.5", "value": keeper}}, **more,
    }  # fmt: skip


def followup(serial: int, day: str, pressure: tuple[int, int], *, weight: float = 61.5) -> list[dict[str, Any]]:
    """Return a hypertension follow-up of resident p<serial>: Encounter and form."""
    own = f"f{serial}-{day}"
    about = {"subject": {"reference": f"Patient/p{serial}"}}
    encounter = {
        "resourceType": "Encounter", "id": own, "status": "finished",
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"},
        "type": [{"coding": [{"system": "urn:xinglin:cs:service", "code": "followup-hypertension"}]}], **about, "period": {"start": f"{day}T09:00:00+08:00"},
        "extension": [{"url": "urn:xinglin:ext:followup-way", "valueCoding": {"system": "urn:oid:2.16.156.10011.2.3.1.183", "code": "1"}}],
    }  # fmt: skip
    given = {"systolic": pressure[0], "diastolic": pressure[1], "weight": weight}
    items: list[dict[str, Any]] = [{"linkId": name, "answer": [{"valueDecimal": value}]} for name, value in given.items()]
    items.append(
        {
            "linkId": "outcome_class",
            "answer": [{"valueCoding": {"system": "urn:xinglin:cs:hypertension-followup:outcome_class", "code": "1"}}],
        }
    )
    form = {
        "resourceType": "QuestionnaireResponse", "id": f"{own}-q", "status": "completed", "questionnaire": "urn:xinglin:form:hypertension-followup|1",
        **about, "encounter": {"reference": f"Encounter/{own}"}, "authored": f"{day}T09:10:00+08:00", "item": items,
    }  # fmt: skip
    return [encounter, form]


async def send(platform: Platform, *resources: dict[str, Any], source: str = HIS, message_id: str = "") -> Any:
    """Send resources as one message; returns the receipt."""
    content = orjson.dumps(resources)
    message = Submission(source, message_id or f"m-{hash(content)}", content, [Entry(each) for each in resources])
    return await platform.exchange.submit(platform.security.system_scope(), message)


def scope_of(platform: Platform, role: str, area: tuple[int, int] = COUNTY, account: int = 501) -> Scope:
    """Return the scope of a role in an area."""
    return platform.security.acting_for(
        platform.security.system_scope(), ActingFor(role, (area,), account_no=account, login=role, display_name=role)
    )


@asynccontextmanager
async def open_district(url: str, folder: Path) -> AsyncIterator[Platform]:
    """Yield a platform with two townships; p1 to p4 live in the east, p5 in the west; p1 and p2 had a visit on 2026-11-10, p5 on 2026-11-11."""
    await asyncio.sleep(seconds_to_a_day_that_lasts())
    settings = Settings(data_dir=folder, database_url=url, zone=ZONE, demo=True)
    async with assemble(settings, "command") as platform:
        areas = (
            (420999000000, "示例县"),
            (420999101000, "青石镇"),
            (420999101201, "青石村"),
            (420999102000, "白水镇"),
            (420999102201, "白水村"),
        )
        await platform.geo.load_divisions([Division(area, name, level_of(area), parent_of(area)) for area, name in areas])
        await platform.exchange.ledger.source(HIS, name="乡镇系统")
        await send(
            platform,
            organization("E1", "C220", "青石镇卫生院", 420999101000),
            organization("W1", "C220", "白水镇卫生院", 420999102000),
            organization("H1", "A100", "县人民医院", 420999000000),
        )
        east = [resident(n, f"李测{'一二三四'[n - 1]}", 420999101201, "E1") for n in range(1, 5)]
        visits = [*followup(1, "2026-11-10", (136, 84)), *followup(2, "2026-11-10", (152, 96)), *followup(5, "2026-11-11", (128, 78))]
        await send(platform, *east, resident(5, "赵测五", 420999102201, "W1"), *visits)
        yield platform
