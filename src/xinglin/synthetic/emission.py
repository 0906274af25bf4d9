"""What one village hands in: lines of NDJSON per file, counts, and the truth kept aside."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

BASE: Final = "base-platform"
COUNTY_HIS: Final = "county-his"
TOWNSHIP_HIS: Final = "township-his"
IMMUNIZATION: Final = "immunization"
SOURCES: Final = (BASE, COUNTY_HIS, TOWNSHIP_HIS, IMMUNIZATION)


@dataclass(slots=True)
class Emission:
    """Bytes per file (path below the output folder), resources per (source, type), numbers for calibration, story residents.

    newest: (day, resource) held back for bundles; sheet: follow-ups held back for the Excel; roster: follow-ups the upper-level platform lists too.
    """

    files: dict[str, bytearray] = field(default_factory=dict)
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    tallies: Counter[Any] = field(default_factory=Counter)
    stories: list[dict[str, Any]] = field(default_factory=list)
    newest: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    sheet: list[dict[str, Any]] = field(default_factory=list)
    roster: list[dict[str, Any]] = field(default_factory=list)

    def put(self, source: str, stage: str, resource: dict[str, Any]) -> None:
        """Append a resource to `<source>/<stage>.ndjson`."""
        self.line(f"{source}/{stage}.ndjson", resource)
        self.counts[source, resource["resourceType"]] += 1

    def line(self, path: str, content: dict[str, Any]) -> None:
        """Append any object as a line of `path`."""
        self.files.setdefault(path, bytearray()).extend(orjson.dumps(content, option=orjson.OPT_APPEND_NEWLINE))
