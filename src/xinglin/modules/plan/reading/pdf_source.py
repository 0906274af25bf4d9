"""PDFs with text: pages as lines; scans and protected files are refused with words that say what to do."""

from __future__ import annotations

import io
import logging
from typing import Final

from xinglin.modules.plan.reading import errors
from xinglin.modules.plan.reading.layout import Source

_MIN_LETTERS_PER_PAGE: Final = 8
_MAX_PAGES: Final = 3000


def read_pdf(data: bytes, name: str) -> Source:
    """Return the text of a PDF as lines.

    Raises: IncorrectError for a password, a damaged file, or pages that are pictures (says OCR).
    """
    import pypdf
    from pypdf.errors import PyPdfError

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)
    try:
        reader = pypdf.PdfReader(io.BytesIO(data), strict=False)
        if reader.is_encrypted and not reader.decrypt(""):
            raise errors.with_password(name)
        pages = [page.extract_text() or "" for page in reader.pages[:_MAX_PAGES]]
    except (
        PyPdfError,
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        IndexError,
        OSError,
        RecursionError,
        NotImplementedError,
        AssertionError,
        ArithmeticError,
    ) as error:
        raise errors.damaged(name, "PDF") from error
    letters = sum(len("".join(page.split())) for page in pages)
    if letters < _MIN_LETTERS_PER_PAGE * max(1, len(pages)):
        raise errors.scan_without_text(name)
    silent = [number for number, page in enumerate(pages, 1) if not page.strip()]
    notices = (f"第{'、'.join(map(str, silent[:20]))}页没有文字（可能是图片），未能读取。",) if silent else ()
    lines = tuple(line for page in pages for line in page.replace("\x0c", "\n").split("\n"))
    return Source(name, "pdf", lines, (), notices)
