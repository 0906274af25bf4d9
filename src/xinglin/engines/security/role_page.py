"""Writes the reference page of roles and rights from the table itself."""

from __future__ import annotations

from xinglin.engines.security.roles import RoleTable


def role_page(table: RoleTable) -> str:
    """Return the page `docs/reference/roles.md`: who may do what, one row a right, one column a role."""
    roles = list(table.roles.values())
    lines = [
        "# 岗位与权限 Roles and rights",
        "",
        "Made from `src/xinglin/engines/security/roles.toml`; change it there. 本页由该文件生成。",
        "",
        "| 岗位 role | code | 用途 purpose | 三员 officer | 看未归属居民 sees unassigned |",
        "|---|---|---|---|---|",
    ]
    for role in roles:
        purpose = table.purposes[role.purpose]
        lines.append(
            f"| {role.zh} {role.en} | `{role.code}` | {purpose.zh} {purpose.en} | {_mark(role.is_officer)} | {_mark(role.sees_unassigned)} |"
        )
    lines += [
        "",
        "三员 are three accounts, share no right and hold none on residents' records.",
        "",
        f"| 权限 right | code | {' | '.join(role.zh for role in roles)} |",
        f"|---|---|{'---|' * len(roles)}",
    ]
    for right in table.rights.values():
        held = " | ".join(_mark(right.code in role.rights) for role in roles)
        lines.append(f"| {right.zh} {right.en} | `{right.code}` | {held} |")
    return "\n".join(lines) + "\n"


def _mark(holds: bool) -> str:
    return "●" if holds else ""
