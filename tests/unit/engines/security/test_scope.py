"""Only security makes a Scope, and a scope says in SQL whom it may see."""

from __future__ import annotations

import ast
import copy
import pickle
from dataclasses import replace
from pathlib import Path

import pytest

import xinglin
from tests.unit.engines.security.conftest import SetClock
from xinglin.base.errors import FaultError, ForbiddenError, IncorrectError
from xinglin.engines.security import (
    ActingFor,
    InstallationSecrets,
    Scope,
    Scopes,
    load_roles,
    scope_areas_condition,
    scope_condition,
    suite,
)

TOWN = (420999101000, 420999101999)
FIELDS = {
    "account_no": 1,
    "login": "x",
    "display_name": "x",
    "role": "steward",
    "purpose": "care",
    "institution_rid": None,
    "practitioner_rid": None,
    "areas": (TOWN,),
    "sees_unassigned": True,
    "rights": frozenset({"resident.read"}),
}


def test_nobody_else_can_construct_a_scope(doctor: Scope) -> None:
    with pytest.raises(TypeError):
        Scope(**FIELDS)  # type: ignore[call-arg]
    with pytest.raises(FaultError):
        Scope(**FIELDS, seal=object())
    with pytest.raises(FaultError):
        replace(doctor, rights=frozenset({"steward"}), seal=object())
    with pytest.raises((TypeError, ValueError)):
        replace(doctor, rights=frozenset({"steward"}))


def test_a_scope_cannot_be_copied_pickled_or_changed(doctor: Scope) -> None:
    for attempt in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(FaultError):
            attempt(doctor)
    with pytest.raises(AttributeError):
        doctor.rights = frozenset()  # type: ignore[misc]


def test_no_other_room_reaches_past_the_door() -> None:
    root = Path(xinglin.__file__).parent
    own = root / "engines" / "security"
    checked = 0
    for path in sorted(root.rglob("*.py")):
        if own in path.parents:
            continue
        checked += 1
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not any(name.startswith("xinglin.engines.security.") for name in names), path
    assert checked > 5


def test_the_house_alone_acts_for_somebody(scopes: Scopes, house: Scope, doctor: Scope) -> None:
    who = ActingFor("steward", (TOWN,))
    assert scopes.acting_for(house, who).role == "steward"
    with pytest.raises(ForbiddenError):
        scopes.acting_for(doctor, who)


def test_a_right_is_required_or_refused(doctor: Scope) -> None:
    doctor.require("enrol")
    assert doctor.allows("enrol") and not doctor.allows("audit.read")
    with pytest.raises(ForbiddenError, match=r"audit\.read"):
        doctor.require("audit.read")


def test_a_scope_can_only_be_narrowed(doctor: Scope, house: Scope) -> None:
    village = (420999101201, 420999101201)
    assert doctor.narrowed(areas=[village], rights=["resident.read"]).areas == (village,)
    for wrong in ({"areas": [(420999102000, 420999102999)]}, {"rights": ["audit.read"]}, {"areas": [(TOWN[0], TOWN[1] + 1)]}):
        with pytest.raises(ForbiddenError):
            doctor.narrowed(**wrong)  # type: ignore[arg-type]
    assert not house.narrowed(areas=[TOWN]).is_house and not house.narrowed(areas=[TOWN]).sees_unassigned
    assert house.narrowed(rights=["resident.read"]).is_house


def test_areas_must_be_ranges_of_codes(scopes: Scopes, house: Scope) -> None:
    for wrong in ((TOWN[1], TOWN[0]), (-1, 5), (0, 10**12)):
        with pytest.raises(IncorrectError):
            scopes.acting_for(house, ActingFor("county", (wrong,)))


def test_conditions_name_only_integers_and_the_column(doctor: Scope, house: Scope, scopes: Scopes) -> None:
    assert scope_areas_condition(doctor, "d.area") == "(d.area between 420999101000 and 420999101999)"
    assert scope_condition(house, "r.person") == "true"
    assert scope_areas_condition(scopes.acting_for(house, ActingFor("auditor", ())), "area") == "false"
    assert scope_condition(scopes.acting_for(house, ActingFor("auditor", ())), "person") == "false"
    for column in ("person; drop table res", "P", "a.b.c", "", "1"):
        with pytest.raises(FaultError):
            scope_condition(doctor, column)


def test_a_sealed_scope_opens_in_another_process_for_five_minutes(
    scopes: Scopes, doctor: Scope, secrets: InstallationSecrets, clock: SetClock
) -> None:
    elsewhere = Scopes(secrets, suite("international"), clock, load_roles())
    sealed = scopes.seal(doctor)
    assert elsewhere.unseal(sealed) == doctor
    changed = sealed.replace(b"responsible_doctor", b"responsible_docter")
    assert changed != sealed
    with pytest.raises(ForbiddenError):
        elsewhere.unseal(changed)
    clock.pass_(minutes=6)
    with pytest.raises(ForbiddenError):
        elsewhere.unseal(sealed)


def test_another_installation_refuses_the_seal(scopes: Scopes, doctor: Scope, clock: SetClock, tmp_path: Path) -> None:
    stranger = Scopes(InstallationSecrets.load(tmp_path / "other"), suite("international"), clock, load_roles())
    with pytest.raises(ForbiddenError):
        stranger.unseal(scopes.seal(doctor))


def test_nothing_that_answers_requests_makes_a_scope_of_the_house() -> None:
    root = Path(xinglin.__file__).parent
    checked = [path for room in ("web", "modules") for path in sorted((root / room).rglob("*.py"))]
    assert len(checked) > 5
    for path in checked:
        names = {node.attr for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Attribute)}
        assert not names & {"system_scope", "acting_for", "unseal"}, path
