"""Compare a generated district with its targets: `calibrate(folder) -> Report`, as text, Markdown and an exit code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from xinglin.base.errors import NotFoundError
from xinglin.synthetic.plan import table


@dataclass(frozen=True, slots=True)
class Row:
    """One marginal: observed and target in the same unit, tolerance either way, where the target comes from.

    sampling: standard error of the observed figure that the size of the district brings with it.
    """

    id: str
    zh: str
    en: str
    observed: float | None
    target: float
    tolerance: float
    source: str
    verified: bool
    sampling: float

    @property
    def is_within(self) -> bool:
        """Return whether the observed figure lies within tolerance + twice the sampling error; one that could not be computed does not."""
        return self._is_within(2 * self.sampling)

    @property
    def verdict(self) -> str:
        """Return "yes", "by chance" when only twice the sampling error brings the figure within its tolerance, or "no"."""
        return "yes" if self._is_within(0.0) else "by chance" if self.is_within else "no"

    def _is_within(self, more: float) -> bool:
        return self.observed is not None and abs(self.observed - self.target) <= self.tolerance + more


@dataclass(frozen=True, slots=True)
class Report:
    """All marginals of one district."""

    residents: int
    as_of: str
    rows: tuple[Row, ...]

    @property
    def exit_code(self) -> int:
        """Return 0 when every figure is within its tolerance, else 1."""
        return 0 if all(row.is_within for row in self.rows) else 1

    def markdown(self) -> str:
        """Return the report as a Markdown table."""
        head = "| 指标 what | 观察 made（s.e.） | 目标 target | 结果 within | 来源 source |\n| --- | --- | --- | --- | --- |\n"
        return head + "".join(
            f"| {r.zh} · {r.en} | {_number(r.observed)} ({_number(r.sampling)}) | {_number(r.target)} ± {_number(r.tolerance)} | {r.verdict} |"
            f" {r.source}{'' if r.verified else '（未核对 unverified）'} |\n"
            for r in self.rows
        )

    def text(self) -> str:
        """Return the report as plain lines."""
        return "".join(
            f"{'ok ' if r.is_within else 'OUT'} {r.id:<22} observed {_number(r.observed):>8} (s.e. {_number(r.sampling)})  target {_number(r.target):>8} ± {_number(r.tolerance)}"
            f"  [{'verified' if r.verified else 'unverified'}] {r.source}\n"
            for r in self.rows
        )


def calibrate(folder: Path | str) -> Report:
    """Return observed against target marginals of a generated folder.  Raises: NotFoundError without a manifest."""
    place = Path(folder) / "manifest.json"
    if not place.is_file():
        raise NotFoundError("没有 manifest.json，请先生成示例县", "there is no manifest.json; generate a district first", where=str(folder))
    manifest = orjson.loads(place.read_bytes())
    observed = _observed(manifest)
    rows = [_row(target, observed.get(target["id"], (None, 0.0))) for target in table("targets")["target"]]
    return Report(int(manifest["tallies"]["residents"]), manifest["as_of"], tuple(rows))


def _row(target: Mapping[str, Any], seen: tuple[float | None, float]) -> Row:
    named = {name: target[name] for name in ("id", "zh", "en", "tolerance", "source", "verified")}
    return Row(observed=seen[0], sampling=seen[1], target=target["value"], **named)


def _observed(manifest: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Return (figure, standard error) of what can be computed: a share without a denominator is left out."""
    t: dict[str, float] = manifest["tallies"]
    years = manifest["span_years"]
    pairs = {
        "age_0_14": ("age_0_14", "residents"), "age_60_plus": ("age_60_plus", "residents"), "age_65_plus": ("age_65_plus", "residents"),
        "hypertension_18": ("hypertension", "adults"), "hypertension_aware": ("hypertension_known", "hypertension"),
        "diabetes_18": ("diabetes", "adults"), "diabetes_aware": ("diabetes_known", "diabetes"), "managed_standard": ("managed_standard", "managed_year"),
        "bp_control": ("hypertension_controlled", "hypertension_managed"), "glucose_control": ("diabetes2_controlled", "diabetes2_managed"),
        "elder_examined": ("elders_examined", "elders"), "missing_id": ("missing_id", "copies"), "duplicated_files": ("duplicated", "residents"),
    }  # fmt: skip
    found = {name: _share(t[above], t[below]) for name, (above, below) in pairs.items() if t.get(below)}
    found["sex_ratio"] = (100 * t["male"] / (t["residents"] - t["male"]), 200 / math.sqrt(t["residents"]))
    for name in ("births", "deaths"):
        found[f"{name}_per_1000"] = (1000 * t[name] / t["residents"] / years, 1000 * math.sqrt(t[name]) / t["residents"] / years)
    found["resources_per_resident"] = (manifest["resources"] / t["residents"], 0.0)
    return found


def _share(above: float, below: float) -> tuple[float, float]:
    share = above / below
    return share, math.sqrt(share * (1 - share) / below)


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
