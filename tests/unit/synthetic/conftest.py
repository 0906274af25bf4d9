"""A small district (fast) and the demonstration district (5,000 residents, the default seed), each made once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from xinglin.synthetic import Manifest, Plan, generate

SMALL = Plan(residents=600, seed=7, as_of=date(2026, 11, 21), years=3)
DEMO = Plan(residents=5000, as_of=date(2026, 11, 21))


@dataclass(frozen=True)
class District:
    """A generated folder."""

    folder: Path
    manifest: Manifest

    def lines(self, pattern: str, kind: str = "") -> list[dict[str, Any]]:
        """Return the objects of all files that match, in the order of names; of one resource type where it is named."""
        head = f'{{"resourceType":"{kind}'.encode() if kind else b"{"
        return [
            orjson.loads(line)
            for path in sorted(self.folder.glob(pattern))
            for line in path.read_bytes().splitlines()
            if line.startswith(head)
        ]


def made(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> District:
    folder = tmp_path_factory.mktemp("district")
    return District(folder, generate(plan, folder))


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> District:
    return made(SMALL, tmp_path_factory)


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> District:
    return made(DEMO, tmp_path_factory)
