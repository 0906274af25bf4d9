"""Scopes that come from no session: the house itself, somebody it acts for, another process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from xinglin.base.clock import Clock
from xinglin.base.errors import ForbiddenError
from xinglin.engines.security.algorithms import Suite
from xinglin.engines.security.installation import InstallationSecrets
from xinglin.engines.security.roles import RoleTable, load_roles
from xinglin.engines.security.scope import Actor, Scope, house_scope, make_scope
from xinglin.engines.security.seal import open_scope, seal_scope

_KEY_OF_SCOPES: Final = "scope"


@dataclass(frozen=True, slots=True)
class ActingFor:
    """Somebody the house acts for outside a session: a job somebody asked for, a loader, a test.

    role: decides rights, purpose and whether unassigned persons are seen.
    """

    role: str
    areas: tuple[tuple[int, int], ...]
    account_no: int = 0
    institution_rid: int | None = None
    practitioner_rid: int | None = None
    login: str = ""
    display_name: str = ""


class Scopes:
    """Makes scopes that come from no session."""

    def __init__(self, secrets: InstallationSecrets, suite: Suite, clock: Clock, roles: RoleTable) -> None:
        self._key = secrets.key(_KEY_OF_SCOPES)
        self._digest = suite.digest
        self._clock = clock
        self._roles = roles

    @staticmethod
    def system_scope(purpose: str = "house") -> Scope:
        """Return the scope of the house itself, which sees every record. Never to be made for a request from outside.

        purpose: a code of `[purpose]` in roles.toml.  Raises: ForbiddenError for an unknown one.
        """
        table = load_roles()
        if purpose not in table.purposes:
            raise ForbiddenError("未知用途", f"no such purpose; write one of {', '.join(table.purposes)}", where="purpose")
        return house_scope(purpose, frozenset(table.rights))

    def acting_for(self, scope: Scope, who: ActingFor) -> Scope:
        """Return the scope of a role in given areas.  Raises: ForbiddenError unless `scope` is the house's; IncorrectError (role)."""
        if not scope.is_house:
            raise ForbiddenError("只有系统自身可以代行", "only the house acts for somebody; use the session's own scope")
        role = self._roles.role(who.role)
        return make_scope(
            Actor(
                account_no=who.account_no,
                login=who.login,
                display_name=who.display_name,
                role=role.code,
                purpose=role.purpose,
                institution_rid=who.institution_rid,
                practitioner_rid=who.practitioner_rid,
                areas=who.areas,
                sees_unassigned=role.sees_unassigned,
                rights=role.rights,
            )
        )

    def for_totals(self, scope: Scope, areas: Sequence[tuple[int, int]]) -> Scope:
        """Return the scope in which who reads the plan is told totals of the whole district: no right, so it opens no list and no record.

        areas: ranges of the district.  Raises: ForbiddenError without `plan.read`.
        """
        scope.require("plan.read")
        return make_scope(
            Actor(
                account_no=scope.account_no,
                login=scope.login,
                display_name=scope.display_name,
                role=scope.role,
                purpose=scope.purpose,
                institution_rid=None,
                practitioner_rid=None,
                areas=tuple(areas),
                sees_unassigned=False,
                rights=frozenset(),
            )
        )

    def seal(self, scope: Scope) -> bytes:
        """Return a scope as bytes for another process of this installation."""
        return seal_scope(scope, self._key, self._digest, self._clock.now())

    def unseal(self, sealed: bytes) -> Scope:
        """Return the scope another process sealed.  Raises: ForbiddenError if it is not ours or older than five minutes."""
        return open_scope(sealed, self._key, self._digest, self._clock.now())
