"""What other rooms hold of security."""

from __future__ import annotations

from xinglin.engines.security.accounts import AccountCard, Accounts, FirstPassword, Membership, NewAccount
from xinglin.engines.security.ground import SecurityGround
from xinglin.engines.security.passwords import Hasher
from xinglin.engines.security.scope import Scope
from xinglin.engines.security.scopes import Scopes
from xinglin.engines.security.second_factor import SecondFactor
from xinglin.engines.security.session_rows import Session
from xinglin.engines.security.sessions import Sessions
from xinglin.engines.security.setup import Setup
from xinglin.engines.security.sign_in import PasswordGate


class Security(Scopes):
    """The door of security: scopes of the house, of other processes and of sessions.

    accounts: make and close accounts, give and end roles.  sessions: sign in and out, switch roles, change passwords.
    second_factor: one-time codes.  setup: the first accounts.  roles: the table role × right.
    """

    def __init__(self, ground: SecurityGround) -> None:
        super().__init__(ground.secrets, ground.suite, ground.clock, ground.roles)
        hasher = Hasher(ground.cost)
        gate = PasswordGate(ground, hasher)
        self.roles = ground.roles
        self.accounts = Accounts(ground, hasher)
        self.sessions = Sessions(ground, hasher, gate)
        self.second_factor = SecondFactor(ground, gate)
        self.setup = Setup(ground, hasher)

    async def sign_in(self, login: str, password: str, address: str) -> Session:
        """Return a new session: `sessions.sign_in`."""
        return await self.sessions.sign_in(login, password, address)

    async def scope_of(self, session_token: str) -> Scope:
        """Return the scope of a session: `sessions.scope_of`."""
        return await self.sessions.scope_of(session_token)

    async def session_of(self, session_token: str) -> Session:
        """Return a session: `sessions.session_of`."""
        return await self.sessions.session_of(session_token)

    async def memberships(self, session_token: str) -> tuple[Membership, ...]:
        """Return the offices a session may switch to: `sessions.memberships`."""
        return await self.sessions.memberships(session_token)

    async def switch_role(self, session_token: str, membership_no: int) -> Session:
        """Return the session in another office: `sessions.switch_role`."""
        return await self.sessions.switch_role(session_token, membership_no)

    async def change_password(self, session_token: str, old: str, new: str) -> Session:
        """Set a new password: `sessions.change_password`."""
        return await self.sessions.change_password(session_token, old, new)

    async def sign_out(self, session_token: str) -> None:
        """End a session: `sessions.sign_out`."""
        await self.sessions.sign_out(session_token)

    async def create_account(self, scope: Scope, new: NewAccount) -> FirstPassword:
        """Return a new account's first password: `accounts.create`."""
        return await self.accounts.create(scope, new)

    async def demo_accounts(self) -> tuple[AccountCard, ...]:
        """Return the accounts with known passwords: `setup.demo_accounts`."""
        return await self.setup.demo_accounts()
