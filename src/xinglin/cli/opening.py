"""What is looked at before an installation is served: its algorithms, its passwords, its first officers."""

from __future__ import annotations

from rich.console import Console

from xinglin.assembly import Platform, assemble
from xinglin.base.errors import ConflictError
from xinglin.base.settings import Settings
from xinglin.engines.security import SetupCode

_KEPT = """
insert into installation (name, value) values ('cryptography', $1) on conflict (name) do update set value = installation.value returning value"""

_MADE_FOR = """
insert into installation (name, value)
select 'made_for', case when exists (select from account) and not exists (select from account where demo_password) then 'real' else $1 end
on conflict (name) do update set
  value = case when $1 = 'real' and not exists (select from account where demo_password) then $1 else installation.value end
returning value"""


async def open_installation(settings: Settings) -> tuple[SetupCode, ...]:
    """Return the one-time codes of the officers nobody is yet; none in a demonstration, whose accounts are known.

    The database stands and is migrated.  Raises: UnavailableError while accounts with known passwords are open outside a demonstration;
    ConflictError when the installation was made with other algorithms, or a demonstration would be loaded into a real one.
    """
    async with assemble(settings, "command") as platform:
        await keep_algorithms(platform)
        await keep_apart(platform)
        if settings.demo:
            return ()
        await platform.security.setup.refuse_demo_passwords()
        return await platform.security.setup.codes()


async def keep_algorithms(platform: Platform) -> None:
    """Note the family of algorithms at first start, and refuse another one afterwards: what was sealed could not be opened."""
    wanted = platform.settings.cryptography
    async with platform.database.connection() as connection:
        kept = await connection.fetchval(_KEPT, wanted)
    if kept != wanted:
        raise ConflictError(
            f"本安装使用 {kept} 算法，不能改为 {wanted}；请改回 XINGLIN_CRYPTOGRAPHY={kept}",
            f"this installation was made with {kept}; set XINGLIN_CRYPTOGRAPHY={kept} again",
            where="XINGLIN_CRYPTOGRAPHY",
        )


async def keep_apart(platform: Platform) -> None:
    """Note at first start whether an installation is a demonstration, and refuse one in a database of real data afterwards.

    A database that was opened before this was noted is real when it has accounts and none of a demonstration; one a demonstration was
    begun in but never loaded is real once it is served without it.  Raises: ConflictError.
    """
    async with platform.database.connection() as connection:
        made_for = await connection.fetchval(_MADE_FOR, "demonstration" if platform.settings.demo else "real")
    if platform.settings.demo and made_for == "real":
        raise ConflictError(
            "这个数据库里已有正式数据，示例不会写入其中；请另建一个库，或去掉 XINGLIN_DATABASE_URL 使用内置数据库",
            "this database holds real data and the demonstration stays out of it; make another, or use the embedded one without XINGLIN_DATABASE_URL",
            where="XINGLIN_DATABASE_URL",
        )


def print_codes(console: Console, codes: tuple[SetupCode, ...], address: str) -> None:
    """Print the one-time codes and where to use them; they are shown only now."""
    if not codes:
        return
    console.print(
        f"首次使用：三员各凭一次性初始化码建立账号（72 小时内有效），打开 {address}/set-up · first use: each officer makes an account with a one-time code"
    )
    for code in codes:
        console.print(f"  {code.role:<10} [bold]{code.code}[/]")
