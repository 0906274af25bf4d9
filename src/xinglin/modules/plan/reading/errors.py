"""What a document can be refused for: each with words that say what to bring instead."""

from __future__ import annotations

from xinglin.base.errors import IncorrectError, UnsupportedError


def scan_without_text(where: str) -> IncorrectError:
    """Return the refusal of a scan: pages without text."""
    return IncorrectError(
        "这份文件是扫描件，里面没有文字。请先用文字识别（OCR）软件转成带文字的 PDF、Word 或文本，再上传。",
        "This document is a scan without text. Run OCR on it first and bring a PDF, Word or text file that has text.",
        where=where,
    )


def with_password(where: str) -> IncorrectError:
    """Return the refusal of a document that asks for a password."""
    return IncorrectError(
        "这份文件有密码保护。请用密码打开后另存为没有密码的文件，再上传。",
        "This document is protected by a password. Open it, save it without a password, and bring that file.",
        where=where,
    )


def old_word(where: str) -> UnsupportedError:
    """Return the refusal of an old Word file (.doc) that only carries the ending .docx."""
    return UnsupportedError(
        "这是旧版 Word 文件（.doc），只是扩展名写成了 .docx。请用 Word 或 WPS 打开，另存为 .docx 后再上传。",
        "This is an old Word file (.doc) under the ending .docx. Open it in Word or WPS, save it as .docx and bring that.",
        where=where,
        status=415,
    )


def damaged(where: str, kind: str) -> IncorrectError:
    """Return the refusal of a file that is not what its name says, or is cut off."""
    return IncorrectError(
        f"这份文件不是完整的 {kind} 文件，可能已损坏或扩展名不对。请重新导出后再上传。",
        f"This is not a whole {kind} file: it is damaged or its extension is wrong. Export it again and bring that file.",
        where=where,
    )


def unknown_pdf(where: str) -> UnsupportedError:
    """Return the refusal of a PDF that uses what is not read here (a rare filter or cipher); the file itself may be whole."""
    return UnsupportedError(
        "这份 PDF 用了不支持的压缩或加密方式。请打开后“打印为 PDF”，或另存为 .docx，再上传。",
        "This PDF uses a way of packing or locking that is not read. Print it to PDF anew, or save it as .docx, and bring that.",
        where=where,
        status=415,
    )


def empty(where: str) -> IncorrectError:
    """Return the refusal of a file without a single letter."""
    return IncorrectError("这份文件是空的。请上传有文字的规划文本。", "This document is empty. Bring a plan that has text.", where=where)


def too_large(where: str, limit_mb: int) -> IncorrectError:
    """Return the refusal of a file above the size limit."""
    return IncorrectError(
        f"文件超过 {limit_mb} MB。请去掉图片或拆分后再上传。",
        f"The file is larger than {limit_mb} MB. Remove pictures or split it, then bring it again.",
        where=where,
        status=413,
    )


def unknown_kind(where: str) -> UnsupportedError:
    """Return the refusal of a kind of file that is not read here (old Word, spreadsheets, pictures)."""
    return UnsupportedError(
        "不支持这种文件。请另存为 .docx、.pdf（带文字）、.html、.md 或 .txt 后再上传。",
        "This kind of file is not read. Save it as .docx, .pdf (with text), .html, .md or .txt and bring that.",
        where=where,
        status=415,
    )
