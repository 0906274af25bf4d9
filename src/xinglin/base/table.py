"""Tables as offices send them: CSV in UTF-8 or GB18030 with the columns' names in the first line."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from xinglin.base.errors import IncorrectError


def csv_text(content: bytes) -> str:
    """Return the text of a file in UTF-8 (with or without its mark) or GB18030.  Raises: IncorrectError for any other."""
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise IncorrectError("文字编码须为 UTF-8 或 GB18030", "save the file as UTF-8 or GB18030")


def csv_rows(content: bytes, needed: Sequence[str]) -> Iterator[tuple[dict[str, str], str]]:
    """Yield (column → text without blanks around it, "line 12") of each row.

    Raises: IncorrectError for an unknown encoding, or naming the columns of `needed` that are missing.

    >>> list(csv_rows("代码,名称\\n1, 甲 \\n".encode("gb18030"), ("代码",)))
    [({'代码': '1', '名称': '甲'}, 'line 2')]
    """
    reader = csv.DictReader(io.StringIO(csv_text(content)))
    missing = [name for name in needed if name not in (reader.fieldnames or ())]
    if missing:
        raise IncorrectError(f"缺少列 {'、'.join(missing)}", f"add the column(s) {', '.join(missing)}", where="line 1")
    for row in reader:
        yield {name: (value or "").strip() for name, value in row.items() if name is not None}, f"line {reader.line_num}"
