"""What identity compares of a source Patient."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from xinglin.base.text import fold, to_halfwidth
from xinglin.engines.identity.numbers import checked_id_number

ID_NUMBER: Final = "urn:oid:2.16.156.10011.1.3"
RECORD_NUMBER: Final = "urn:oid:2.16.156.10011.1.2"
DIVISION: Final = "urn:xinglin:ext:division"
RESIDENCE_STATUS: Final = "urn:xinglin:ext:residence-status"
_SEX: Final = {"male": 1, "female": 2, "other": 9}
# Names that say nobody: never compared. Source: observed registry practice, docs/explanation/identity.md.
_PLACEHOLDER_ENDS: Final = ("之子", "之女", "之婴", "之孙")
_PLACEHOLDERS: Final = frozenset({"无名氏", "新生儿", "患者", "不详", "未知", "unknown", "baby"})


@dataclass(frozen=True, slots=True)
class PatientKey:
    """One source Patient as identity sees it; field meanings as the table patient_key."""

    patient: int
    source_no: int
    id_number: str | None
    id_number_sent: str | None
    name: str
    name_folded: str
    sex: int
    birth_date: date | None
    phone: str | None
    record_number: str | None
    area: int | None
    institution: int | None
    death_date: date | None
    residence_status: str | None

    @property
    def demographics(self) -> tuple[str, date, int, str] | None:
        """Return (name, birth date, sex, phone) when all four are there and the name is a name, else None."""
        if not self.name_folded or self.birth_date is None or self.sex not in (1, 2) or not self.phone or is_placeholder(self.name_folded):
            return None
        return self.name_folded, self.birth_date, self.sex, self.phone


def is_placeholder(name_folded: str) -> bool:
    """Whether a folded name stands for "nobody known" rather than for a person."""
    return name_folded in _PLACEHOLDERS or name_folded.endswith(_PLACEHOLDER_ENDS) or name_folded.startswith("患者")


def extension_value(element: Mapping[str, Any], url: str) -> str | None:
    """Return the code, string or date of the extension `url`, None where there is none."""
    for extension in element.get("extension") or ():
        if extension.get("url") == url:
            for name in ("valueCode", "valueString", "valueDate", "valueDateTime"):
                if name in extension:
                    return str(extension[name])
    return None


def key_of(patient: int, source_no: int, resource: Mapping[str, Any], institution: int | None) -> PatientKey:
    """Return the key of a source Patient.

    patient: its rid.  institution: rid of the managing organisation where it is registered here.
    """
    name = _name(resource)
    sent = _identifier(resource, ID_NUMBER)
    checked = checked_id_number(sent)
    address = (resource.get("address") or [{}])[0]
    division = extension_value(address, DIVISION)
    return PatientKey(
        patient=patient,
        source_no=source_no,
        id_number=checked,
        id_number_sent=None if checked else sent,
        name=name,
        name_folded=fold(name),
        sex=_SEX.get(resource.get("gender", ""), 0),
        birth_date=_day(resource.get("birthDate")),
        phone=_phone(resource),
        record_number=_identifier(resource, RECORD_NUMBER),
        area=int(division) if division and division.isdecimal() and len(division) == 12 else None,
        institution=institution,
        death_date=_day(resource.get("deceasedDateTime")),
        residence_status=extension_value(resource, RESIDENCE_STATUS),
    )


def _identifier(resource: Mapping[str, Any], system: str) -> str | None:
    for identifier in resource.get("identifier") or ():
        if identifier.get("system") == system and identifier.get("value"):
            return to_halfwidth(str(identifier["value"])).strip()
    return None


def _name(resource: Mapping[str, Any]) -> str:
    for name in resource.get("name") or ():
        if name.get("use") == "old":
            continue
        text = name.get("text") or " ".join([*name.get("given", ()), name.get("family", "")]).strip()
        if text:
            return str(text)
    return ""


def _phone(resource: Mapping[str, Any]) -> str | None:
    for point in resource.get("telecom") or ():
        if point.get("system") in ("phone", "sms", None) and point.get("value"):
            digits = "".join(sign for sign in to_halfwidth(str(point["value"])) if sign.isdecimal())
            # A number of one repeated digit is what a form demanded, not a telephone.
            return digits if len(digits) >= 7 and len(set(digits[-7:])) > 1 else None
    return None


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(str(text)[:10]) if text else None
    except ValueError:
        return None
