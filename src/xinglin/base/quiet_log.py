"""Log lines without values: where something failed and what kind of failure, never what an exception says.

A driver's message quotes the row it could not store, and a parser's the text it could not read: both may be a resident's record.
"""

from __future__ import annotations

import logging
import sys
import traceback
from types import TracebackType
from typing import TypeAlias

Raised: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class QuietFormatter(logging.Formatter):
    """Formats a traceback as its frames and the exceptions' types; their words are left out."""

    def formatException(self, ei: Raised) -> str:
        """Return the frames of an exception and of those that caused it, innermost cause first."""
        parts: list[str] = []
        error = ei[1]
        while error is not None and len(parts) < 10:
            frames = "".join(traceback.format_list(traceback.extract_tb(error.__traceback__)))
            parts.append(f"{frames}{type(error).__module__}.{type(error).__qualname__}")
            error = error.__cause__ or error.__context__
        return "\n-- led to --\n".join(reversed(parts))


def log_quietly() -> None:
    """Let every logger of this process write to standard error in this form."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(QuietFormatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
