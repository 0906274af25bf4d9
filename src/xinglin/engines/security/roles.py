"""The table role × right, read from `roles.toml` and checked."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from xinglin.base.errors import DefinitionError, IncorrectError

HOUSE_ROLE: Final = "house"


@dataclass(frozen=True, slots=True)
class Named:
    """A code with its Chinese and English name."""

    code: str
    zh: str
    en: str

    def name(self, language: str) -> str:
        """Return the name in `language` ("zh" or "en")."""
        return self.en if language.startswith("en") else self.zh


@dataclass(frozen=True, slots=True)
class Role(Named):
    """An office: its rights, the purpose it acts for, and whether it sees residents that belong to no area yet."""

    purpose: str
    rights: frozenset[str]
    sees_unassigned: bool
    is_officer: bool


@dataclass(frozen=True, slots=True)
class RoleTable:
    """Every purpose, right and role.

    Invariant: each role names known rights and a known purpose; the officers (三员) share no right with each other and hold
    only officers' rights; nobody else holds one of those.
    """

    purposes: Mapping[str, Named]
    rights: Mapping[str, Named]
    roles: Mapping[str, Role]

    def role(self, code: str) -> Role:
        """Return a role.  Raises: IncorrectError if there is none of that code."""
        found = self.roles.get(code)
        if found is None:
            known = "、".join(self.roles)
            raise IncorrectError(f"没有这个角色；可用：{known}", f"no such role; write one of {', '.join(self.roles)}", where="role")
        return found

    def officers(self) -> tuple[str, ...]:
        """Return the codes of the three officers' roles."""
        return tuple(code for code, role in self.roles.items() if role.is_officer)

    def check_together(self, roles: Iterable[str]) -> None:
        """Refuse a set of roles for one account that holds two of the three officers.

        Raises: IncorrectError.  Source: GB/T 22239-2019, 8.1.4 (三员分立; unverified).
        """
        held = sorted({code for code in roles if self.role(code).is_officer})
        if len(held) > 1:
            raise IncorrectError(
                "系统管理员、安全管理员、审计员须由三个账号分别担任",
                "system administrator, security administrator and auditor must be three accounts; give this role to another",
                where="role",
            )


def load_roles(text: str | None = None) -> RoleTable:
    """Return the checked table of `text` (TOML), or of the shipped `roles.toml`.  Raises: DefinitionError naming the line's key."""
    if text is None:
        text = files("xinglin.engines.security").joinpath("roles.toml").read_text(encoding="utf-8")
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DefinitionError(f"不是有效的 TOML：{error}", f"not valid TOML: {error}", where="roles.toml") from error
    officers, officer_rights = frozenset(data.get("separated", ())), frozenset(data.get("officer_rights", ()))
    purposes, rights = _names(data, "purpose"), _names(data, "right")
    roles = {code: _role(code, row, officers) for code, row in data.get("role", {}).items()}
    table = RoleTable(purposes=purposes, rights=rights, roles=roles)
    _check(table, officers, officer_rights)
    return table


def _names(data: Mapping[str, Any], section: str) -> dict[str, Named]:
    rows = data.get(section, {})
    for code, row in rows.items():
        _need(bool(row.get("zh")) and bool(row.get("en")), f"{section}.{code}", "要写 zh 和 en 两个名称", "write both names, zh and en")
    return {code: Named(code, row["zh"], row["en"]) for code, row in rows.items()}


def _role(code: str, row: Mapping[str, Any], officers: frozenset[str]) -> Role:
    where = f"role.{code}"
    _need(
        all(row.get(key) for key in ("zh", "en", "purpose", "rights")),
        where,
        "要写 zh、en、purpose、rights",
        "write zh, en, purpose, rights",
    )
    return Role(
        code=code,
        zh=row["zh"],
        en=row["en"],
        purpose=row["purpose"],
        rights=frozenset(row["rights"]),
        sees_unassigned=bool(row.get("sees_unassigned", False)),
        is_officer=code in officers,
    )


def _check(table: RoleTable, officers: frozenset[str], officer_rights: frozenset[str]) -> None:
    _need(officers <= table.roles.keys(), "separated", "列出的角色不存在", "names a role that does not exist")
    _need(HOUSE_ROLE not in table.roles, "role.house", "此代码保留给系统自身", "this code is kept for the house itself")
    taken: set[str] = set()
    for code, role in table.roles.items():
        where = f"role.{code}"
        unknown = sorted(role.rights - table.rights.keys())
        _need(not unknown, where, f"未知权限 {unknown}", f"unknown rights {unknown}; add them under [right] or correct them")
        _need(role.purpose in table.purposes, where, "未知用途", "unknown purpose; add it under [purpose] or correct it")
        if not role.is_officer:
            _need(not role.rights & officer_rights, where, "只有三员可有管理权限", "only the three officers may hold an officer's right")
            continue
        _need(
            role.rights <= officer_rights, where, "三员不得有业务数据权限", "an officer may hold officers' rights only, none on residents"
        )
        _need(not role.rights & taken, where, "三员的权限不得重叠", "officers may share no right")
        taken |= role.rights


def _need(holds: bool, where: str, zh: str, en: str) -> None:
    if not holds:
        raise DefinitionError(zh, en, where=f"roles.toml:{where}")
