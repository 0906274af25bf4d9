"""What is looked at before an installation is served: its algorithms, its passwords, its first officers."""

from __future__ import annotations

from rich.console import Console

from xinglin.assembly import Platform, assemble
from xinglin.base.errors import ConflictError
from xinglin.base.settings import Settings
from xinglin.engines.security import SetupCode

_KEPT = """
insert into installation (name, value) values ('cryptography', $1) on conflict (name) do update set value = installation.value returning value"""


async def open_installation(settings: Settings) -> tuple[SetupCode, ...]:
    """Return the one-time codes of the officers nobody is yet; none in a demonstration, whose accounts are known.

    The database stands and is migrated.  Raises: UnavailableError while accounts with known passwords are open outside a demonstration;
    ConflictError when the installation was made with other algorithms.
    """
    async with assemble(settings, "command") as platform:
        await keep_algorithms(platform)
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


def print_codes(console: Console, codes: tuple[SetupCode, ...], address: str) -> None:
    """Print the one-time codes and where to use them; they are shown only now."""
    if not codes:
        return
    console.print(
        f"首次使用：三员各凭一次性初始化码建立账号（72 小时内有效），打开 {address}/set-up · first use: each officer makes an account with a one-time code"
    )
    for code in codes:
        console.print(f"  {code.role:<10} [bold]{code.code}[/]")
