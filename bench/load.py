"""The doors in: bundles through the transaction door, a generated district through the NDJSON door."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from bench.ground import AS_OF, Ground, Meter, data_folder, ground, platform_of, run_async
from xinglin.assembly import Platform
from xinglin.cli.loading import SOURCES, steps
from xinglin.engines.exchange import ImportOptions
from xinglin.engines.geo import read_geojson
from xinglin.synthetic import Plan, generate

FOREIGN: Final = "bench-foreign"


def samples() -> Path | None:
    """Return the folder of foreign bundles: below XINGLIN_SHARED, or beside the repository; None where there is none."""
    shared = Path(os.environ.get("XINGLIN_SHARED") or Path(__file__).resolve().parents[2] / "shared")
    folder = shared / "samples" / "synthea_r4"
    return folder if folder.is_dir() else None


def transaction_door() -> dict[str, Any]:
    """Return resources per second of the foreign bundles, one transaction each, with validation, linking and audit."""
    folder = samples()
    if folder is None:
        return {"import_resources_per_s": None, "import_reason": "no shared/samples/synthea_r4; set XINGLIN_SHARED"}

    async def measure(place: Ground) -> dict[str, Any]:
        async with platform_of(place.settings) as platform:
            await platform.exchange.ledger.source(FOREIGN, name="样例", foreign=True)
            meter = Meter(place)
            report = await platform.importer.import_path(platform.security.system_scope(), folder, ImportOptions(FOREIGN))
            figures = meter.figures(report.stored)
            return {"import_resources_per_s": figures["per_s"], "import": {**figures, "waiting": report.rejected}}

    with data_folder() as data_dir, ground(data_dir) as place:
        return dict(run_async(measure(place)))


def bulk_door(residents: int) -> dict[str, Any]:
    """Return resources per second of a generated district through the NDJSON door, with validation, linking and audit.

    Only the door is timed: the divisions stand before, and no account, plan or bundle of the demonstration is made.
    """

    async def measure(place: Ground, folder: Path) -> dict[str, Any]:
        async with platform_of(place.settings) as platform:
            await platform.geo.load_divisions(read_geojson((folder / "divisions.geojson").read_bytes()))
            for code, (name, trust) in SOURCES.items():
                await platform.exchange.ledger.source(code, name=name, trust=trust)
            files = [(step.source, (step.path.relative_to(folder).as_posix(), step.path.read_bytes())) for step in steps(folder)]
            scope, meter, stored = platform.security.system_scope(), Meter(place), 0
            for source, file in files:
                stored += (await platform.importer.import_content(scope, file, ImportOptions(source))).stored
            figures = meter.figures(stored)
            return {
                "bulk_resources_per_s": figures["per_s"],
                "bulk": {**figures, "residents": residents, "waiting": await waiting(platform)},
            }

    with data_folder() as data_dir:
        generate(Plan(residents=residents, as_of=AS_OF), data_dir / "demo")
        with ground(data_dir) as place:
            return dict(run_async(measure(place, data_dir / "demo")))


async def waiting(platform: Platform) -> int:
    """Return how many entries wait in quarantine."""
    async with platform.database.connection() as connection:
        return int(await connection.fetchval("select count(*) from quarantine"))
