"""No value reaches a log line through an exception's words."""

from __future__ import annotations

import logging
import sys

from xinglin.base.quiet_log import QuietFormatter


def test_a_traceback_names_places_and_types_but_no_words() -> None:
    try:
        try:
            int("李测一 420999196005120014")
        except ValueError as error:
            raise KeyError("13800000001") from error
    except KeyError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "a call failed", None, sys.exc_info())
    text = QuietFormatter("%(message)s").format(record)
    assert "a call failed" in text and "builtins.ValueError" in text and "builtins.KeyError" in text and "test_quiet_log.py" in text
    assert text.index("ValueError") < text.index("KeyError")
    told = [line for line in text.splitlines() if not line.startswith("    ")]
    assert not any(value in line for line in told for value in ("李测一", "420999196005120014", "13800000001"))
