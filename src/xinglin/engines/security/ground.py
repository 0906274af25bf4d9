"""What accounts, sessions and set-up stand on, given once by assembly."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta

from xinglin.base.clock import Clock
from xinglin.base.database import Database
from xinglin.base.text import fold
from xinglin.engines.security.algorithms import Suite
from xinglin.engines.security.areas import AreaSource
from xinglin.engines.security.audit import AuditWitness
from xinglin.engines.security.deed import Deed, deed
from xinglin.engines.security.installation import InstallationSecrets
from xinglin.engines.security.passwords import HashCost, PasswordPolicy
from xinglin.engines.security.roles import RoleTable, load_roles


@dataclass(frozen=True, slots=True)
class SignInRules:
    """How sign-in behaves.

    tries: wrong ones within `window` that lock a login for `locked`; address_tries: the same for an address, whatever the login.
    idle: a session unused that long ends; longest: so does one that old.  demo: accounts with known passwords may sign in.
    """

    tries: int = 5
    address_tries: int = 50
    window: timedelta = timedelta(minutes=15)
    locked: timedelta = timedelta(minutes=15)
    idle: timedelta = timedelta(minutes=30)
    longest: timedelta = timedelta(hours=12)
    demo: bool = False


@dataclass(frozen=True, slots=True)
class SecurityGround:
    """The parts security is built on. entropy: the random source of tokens and first passwords."""

    database: Database
    audit: AuditWitness
    clock: Clock
    secrets: InstallationSecrets
    suite: Suite
    areas: AreaSource
    rules: SignInRules = SignInRules()
    policy: PasswordPolicy = PasswordPolicy()
    cost: HashCost = HashCost()
    roles: RoleTable = field(default_factory=load_roles)
    entropy: Callable[[int], bytes] = os.urandom

    def deed(self) -> AbstractAsyncContextManager[Deed]:
        """Return a transaction whose entries in the audit log hold exactly when it does."""
        return deed(self.database, self.audit)

    def keyed(self, use: str, text: str) -> bytes:
        """Return the keyed hash under which a secret text is stored."""
        return self.suite.digest.mac(self.secrets.key(use), text.encode("utf-8", "replace"))


def fold_login(login: str) -> str:
    """Return a login as it is stored and compared, without what PostgreSQL cannot hold."""
    return fold(login).replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
