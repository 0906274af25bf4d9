"""Measure validation, extraction and rewriting over a folder of gzip transaction bundles, on one core.

python bench/fhir_validate.py FOLDER [--files N] [--json]
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson

from xinglin.fhir import extractor, main_date, patient_references, rewrite_references, validate


def resources_of(folder: Path, files: int) -> list[dict[str, Any]]:
    """Return the resources of the first so many bundles."""
    found = []
    for path in sorted(folder.glob("*.json.gz"))[:files]:
        found.extend(entry["resource"] for entry in orjson.loads(gzip.decompress(path.read_bytes()))["entry"])
    return found


def microseconds(work: Callable[[dict[str, Any]], object], resources: list[dict[str, Any]]) -> float:
    """Return the best of three runs, in microseconds per resource."""
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        for resource in resources:
            work(resource)
        best = min(best, time.perf_counter() - start)
    return best / len(resources) * 1e6


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    zone = ZoneInfo("Asia/Shanghai")
    resources = resources_of(options.folder, options.files)
    size = sum(len(orjson.dumps(resource)) for resource in resources)
    wrong = sum(1 for resource in resources if validate(resource))
    figures = {
        "resources": len(resources),
        "mean_bytes": round(size / len(resources)),
        "with_problems": wrong,
        "validate_us": round(microseconds(validate, resources), 1),
        "extract_us": round(microseconds(lambda r: extractor(r["resourceType"], zone)(r), resources), 1),
        "rewrite_us": round(microseconds(lambda r: rewrite_references(r, {"urn:uuid:none": "Patient/1"}), resources), 1),
        "compartment_us": round(microseconds(patient_references, resources), 1),
        "main_date_us": round(microseconds(lambda r: main_date(r, zone), resources), 1),
    }
    figures["validated_per_s"] = round(1e6 / figures["validate_us"])
    print(json.dumps(figures) if options.json else "\n".join(f"{name}: {value}" for name, value in figures.items()))


if __name__ == "__main__":
    main()
