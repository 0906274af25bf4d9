"""What security asks of geo: which ranges of division codes an area stands for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class AreaSource(Protocol):
    """Places, as far as scopes need them; bound to geo in assembly."""

    def ranges(self, areas: Sequence[int]) -> tuple[tuple[int, int], ...]:
        """Return the closed ranges of 12-digit codes the areas and everything under them take up, joined where they touch."""
        ...

    async def unknown(self, areas: Sequence[int]) -> tuple[int, ...]:
        """Return those of the areas that are not a known division."""
        ...
