"""The FHIR interface on a whole platform."""

from __future__ import annotations

from importlib.metadata import version
from random import SystemRandom
from typing import TYPE_CHECKING

from starlette.routing import BaseRoute

from xinglin.base.ids import uuid7
from xinglin.web.fhir.api import fhir_routes
from xinglin.web.fhir.doors import FhirDoors

if TYPE_CHECKING:
    from xinglin.assembly import Platform


def platform_routes(platform: Platform) -> list[BaseRoute]:
    """Return the routes of `/fhir` over a platform: give them to `web.app.make_app(platform, mounts=...)`."""
    random = SystemRandom()
    doors = FhirDoors(
        store=platform.store,
        intake=platform.exchange,
        audit=platform.audit,
        scope_of=platform.security.scope_of,
        new_id=lambda: uuid7(platform.clock, random),
        clock=platform.clock,
        version=version("xinglin"),
    )
    return fhir_routes(doors)
