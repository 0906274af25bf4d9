"""What every entry of this module is made of: who writes about whom, and the small shapes all resources share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

Resource = dict[str, Any]
TERMINOLOGY: Final = "http://terminology.hl7.org/CodeSystem"


@dataclass(frozen=True, slots=True)
class Setting:
    """Who writes down what about whom, when.

    patient, practitioner, organization, episode: ids of resources in the store ("" for no episode). at: the moment of entry, aware.
    new_id: gives the next id of ours.
    """

    patient: str
    practitioner: str
    organization: str
    at: datetime
    new_id: Callable[[], str]
    episode: str = ""


def to(rtype: str, own: str) -> Resource:
    """Return a reference to a resource of ours."""
    return {"reference": f"{rtype}/{own}"}


def coded(system: str, code: str) -> Resource:
    """Return a concept of one code of a system of ours."""
    return {"coding": [{"system": f"urn:xinglin:cs:{system}", "code": code}]}


def bare(resource: Mapping[str, Any]) -> Resource:
    """Return a stored resource without the parts the store writes itself."""
    return {name: value for name, value in resource.items() if name != "meta"}


def version(resource: Mapping[str, Any]) -> int | None:
    """Return the version a stored resource was read in, None for one without."""
    version = resource.get("meta", {}).get("versionId")
    return int(version) if version is not None else None
