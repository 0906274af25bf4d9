"""The table role × right holds together, and a wrong one is refused with its place."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from xinglin.base.errors import DefinitionError, IncorrectError
from xinglin.engines.security import load_roles, role_page

SHIPPED = files("xinglin.engines.security").joinpath("roles.toml").read_text(encoding="utf-8")
OFFICERS = {"sysadmin", "secadmin", "auditor"}


def test_every_role_and_right_of_the_contract_is_there() -> None:
    table = load_roles()
    assert set(table.roles) == {
        "village_doctor", "responsible_doctor", "nurse", "public_health", "leader", "county", "cdc", "steward", *OFFICERS,
    }  # fmt: skip
    wanted = [
        "resident.read",
        "resident.write",
        "resident.reveal",
        "enrol",
        "followup.write",
        "diagnose",
        "adjust",
        "refer",
        "sign",
        "examination.write",
        "check.phone",
        "report.monthly",
        "institution.figures",
        "county.figures",
        "task.assign",
        "sampling",
        "appraisal",
        "cdc.figures",
        "steward",
        "exchange.read",
        "exchange.replay",
        "exchange.import",
        "upper.exchange",
        "accounts.manage",
        "roles.manage",
        "audit.read",
        "settings.manage",
        "export",
        "print",
        "plan.read",
        "plan.edit",
        "plan.approve",
        "fhir.read",
        "fhir.write",
    ]
    assert set(table.rights) == set(wanted)
    assert all(any(right in role.rights for role in table.roles.values()) for right in wanted)
    assert all(each.zh and each.en for names in (table.purposes, table.rights, table.roles) for each in names.values())


@pytest.mark.parametrize("officer", sorted(OFFICERS))
def test_no_officer_reads_records(officer: str) -> None:
    rights = load_roles().role(officer).rights
    assert rights and not any(right.startswith(("resident.", "fhir.", "exchange.")) or right in {"export", "steward"} for right in rights)


def test_a_village_doctor_does_not_diagnose_by_any_door() -> None:
    rights = load_roles().role("village_doctor").rights
    assert {"resident.read", "followup.write", "export", "print"} <= rights and not {"diagnose", "adjust", "fhir.write"} & rights


def test_two_officers_in_one_account_are_refused() -> None:
    table = load_roles()
    table.check_together(["auditor", "nurse"])
    with pytest.raises(IncorrectError):
        table.check_together(["auditor", "nurse", "sysadmin"])
    with pytest.raises(IncorrectError):
        table.role("doctor")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('rights = ["audit.read"]', 'rights = ["audit.read", "resident.read"]', "role.auditor"),
        ('rights = ["audit.read"]', 'rights = ["audit.read", "roles.manage"]', "role.auditor"),
        ('rights = ["roles.manage"]', 'rights = ["roles.mange"]', "role.secadmin"),
        ('"resident.read", "institution.figures", "export", "print", "plan.read"]', '"audit.read"]', "role.leader"),
        ('zh = "村医"\n', "", "role.village_doctor"),
        ('purpose = "audit"', 'purpose = "curiosity"', "role.auditor"),
        ('"auditor"]', '"inspector"]', "separated"),
        ("[role.nurse]", "[role.house]", "role.house"),
        ('audit = { zh = "审计", en = "Audit" }', 'audit = { zh = "审计" }', "purpose.audit"),
        ("[purpose]", "[purpose", "TOML"),
    ],
)
def test_a_table_that_does_not_hold_together_is_refused(old: str, new: str, place: str) -> None:
    assert old in SHIPPED
    with pytest.raises(DefinitionError) as caught:
        load_roles(SHIPPED.replace(old, new))
    assert place in f"{caught.value.where} {caught.value.en}"


def test_the_reference_page_is_what_the_table_says() -> None:
    page = Path(__file__).resolve().parents[4] / "docs" / "reference" / "roles.md"
    assert page.read_text(encoding="utf-8") == role_page(load_roles()), "write role_page(load_roles()) to docs/reference/roles.md"
