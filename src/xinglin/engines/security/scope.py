"""A Scope: who acts, as what, where and why. Every door that hands out records asks for one, and only security makes one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import InitVar, dataclass
from typing import Final, NoReturn

from xinglin.base.errors import FaultError, ForbiddenError, IncorrectError
from xinglin.engines.security.roles import HOUSE_ROLE

_SEAL: Final = object()
_COLUMN: Final = re.compile(r"[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?")
EVERYWHERE: Final[tuple[tuple[int, int], ...]] = ((0, 999_999_999_999),)
HOUSE_ACCOUNT: Final = 0


@dataclass(frozen=True, slots=True)
class Actor:
    """What a scope is made of; by itself it opens no door.

    areas: closed ranges of 12-digit division codes.  institution_rid, practitioner_rid: rids of Organization and Practitioner.
    sees_unassigned: also persons that belong nowhere yet.
    """

    account_no: int
    login: str
    display_name: str
    role: str
    purpose: str
    institution_rid: int | None
    practitioner_rid: int | None
    areas: tuple[tuple[int, int], ...]
    sees_unassigned: bool
    rights: frozenset[str]


@dataclass(frozen=True, slots=True)
class Scope(Actor):
    """An Actor that security vouches for. Built only inside security: the seal is private to this file."""

    seal: InitVar[object]

    def __post_init__(self, seal: object) -> None:
        if seal is not _SEAL:
            raise FaultError(
                "只有 security 能生成 Scope", "only security makes a Scope; ask Security.scope_of or narrow one you were given"
            )

    def __reduce__(self) -> NoReturn:
        raise FaultError("Scope 不能序列化", "a Scope cannot be pickled or copied; send Security.seal(scope) to another process")

    def allows(self, right: str) -> bool:
        """Tell whether the actor holds a right."""
        return right in self.rights

    def require(self, right: str) -> None:
        """Raise ForbiddenError unless the actor holds a right."""
        if right not in self.rights:
            raise ForbiddenError(
                f"当前角色没有权限 {right}；请换用有此权限的角色，或请安全管理员授权",
                f"this role lacks the right {right}; switch to a role that has it or ask the security administrator",
            )

    @property
    def is_house(self) -> bool:
        """Tell whether this is the house itself (loads, rules), which sees every record."""
        return self.role == HOUSE_ROLE

    def narrowed(self, *, areas: Iterable[tuple[int, int]] | None = None, rights: Iterable[str] | None = None) -> Scope:
        """Return a scope with fewer areas or rights.  Raises: ForbiddenError if either is not within this scope's own."""
        inner = self.areas if areas is None else tuple(areas)
        held = self.rights if rights is None else frozenset(rights)
        if not held <= self.rights or not all(any(a <= low <= high <= b for a, b in self.areas) for low, high in inner):
            raise ForbiddenError("范围只能缩小", "a scope can only be narrowed; ask for areas and rights within it")
        # A house scope stops being the house's once it is narrowed to areas, or it would still see everything.
        role = "house_in_area" if self.is_house and areas is not None else self.role
        return make_scope(
            Actor(
                account_no=self.account_no,
                login=self.login,
                display_name=self.display_name,
                role=role,
                purpose=self.purpose,
                institution_rid=self.institution_rid,
                practitioner_rid=self.practitioner_rid,
                areas=inner,
                sees_unassigned=self.sees_unassigned and areas is None,
                rights=held,
            )
        )


def make_scope(actor: Actor) -> Scope:
    """Return the scope of an actor. Called inside security only; not in the door."""
    for low, high in actor.areas:
        if not 0 <= low <= high <= EVERYWHERE[0][1]:
            raise IncorrectError(
                "区划范围须为 12 位区划代码，前小后大", "write areas as (low, high) of 12-digit division codes", where="areas"
            )
    return Scope(
        account_no=actor.account_no,
        login=actor.login,
        display_name=actor.display_name,
        role=actor.role,
        purpose=actor.purpose,
        institution_rid=actor.institution_rid,
        practitioner_rid=actor.practitioner_rid,
        areas=actor.areas,
        sees_unassigned=actor.sees_unassigned,
        rights=actor.rights,
        seal=_SEAL,
    )


def house_scope(purpose: str, rights: frozenset[str]) -> Scope:
    """Return the scope of the house itself. Called inside security only."""
    return make_scope(
        Actor(
            account_no=HOUSE_ACCOUNT,
            login="",
            display_name="系统",
            role=HOUSE_ROLE,
            purpose=purpose,
            institution_rid=None,
            practitioner_rid=None,
            areas=EVERYWHERE,
            sees_unassigned=True,
            rights=rights,
        )
    )


def scope_areas_condition(scope: Scope, area_column: str) -> str:
    """Return SQL that holds where a column of 12-digit areas lies in the scope. Only integers are inlined.

    >>> # scope_areas_condition(town, "d.area") == "(d.area between 420999101000 and 420999101999)"
    """
    _check_column(area_column)
    if scope.is_house:
        return "true"
    if not scope.areas:
        return "false"
    parts = (
        f"{area_column} = {int(low)}" if low == high else f"{area_column} between {int(low)} and {int(high)}" for low, high in scope.areas
    )
    return f"({' or '.join(parts)})"


def scope_condition(scope: Scope, person_column: str) -> str:
    """Return SQL that holds where a column of person numbers names a person the scope may see. Only integers are inlined.

    A person is seen where an open row of `person_scope` lies in the scope's areas; a steward also sees persons without any.
    """
    _check_column(person_column)
    if scope.is_house:
        return "true"
    here = f"select 1 from person_scope belongs where belongs.person = {person_column} and belongs.to_seq is null"
    placed = f"exists ({here} and {scope_areas_condition(scope, 'belongs.area')})" if scope.areas else "false"
    return f"({placed} or not exists ({here}))" if scope.sees_unassigned else placed


def _check_column(column: str) -> None:
    if not _COLUMN.fullmatch(column):
        raise FaultError("列名只能是 a 或 a.b", "a column is written a or a.b in small letters", where="column")
