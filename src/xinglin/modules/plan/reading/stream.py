"""Indicator tables that a PDF or a web page broke into lines: flattened rows, or one cell a line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from xinglin.modules.plan.reading.catalogue import catalogue
from xinglin.modules.plan.reading.header import Column, classify, is_header_row, is_year_text
from xinglin.modules.plan.reading.normal import bare, squeeze
from xinglin.modules.plan.reading.streamblocks import Block, blocks_of
from xinglin.modules.plan.reading.values import parse_value, parse_values

_HEADING: Final = re.compile(
    r"^\s*(?:#{1,6}\s|第[一二三四五六七八九十]+[章节编]|[一二三四五六七八九十]{1,3}、|[（(][一二三四五六七八九十]{1,3}[）)]|附件|附表|专栏|表\s*\d|注\s*[:：0-9]|备注|说明[:：]|[*※]\s*[^\d\s])"
)
GROUP_HEAD: Final = re.compile(r"^(?:[一二三四五六七八九十]{1,3}、|[（(][一二三四五六七八九十]{1,3}[）)])[一-鿿]{2,20}$")
_KIND: Final = re.compile(r"(?:预期|约束|倡导|引导|指导)性?(?:指标)?|[（(](?:预期|约束)性?[）)]")
_VALUE_START: Final = re.compile(
    r"^(?:[（(](?!助理|家庭|岁)|年均|每年|较|比20|不低于|不超过|不高于|控制|同比|达到|力争|逐|持续|稳|进一步|[≥≤<>])"
)
_BRACKETED: Final = re.compile(r"[（(〔\[][^（()）〔〕\[\]]{1,10}[）)〕\]]")
_GLUED: Final = re.compile(r"[（(]([^（()）]{1,8})[）)](?=[\d≥≤<>])")
_AGE: Final = re.compile(r"(?<=\d)\s+(?=岁|周岁|万(?!元|人次)|类|项|种|年(?![均报鉴度])|个月)")
_MAX_HEADER_PIECES: Final = 16


@dataclass(frozen=True, slots=True)
class Token:
    """One piece of a broken table.  kind: text, value, kind or unit; `cell` when the document itself marked the cell's ends."""

    kind: str
    text: str
    from_line: int
    to_line: int
    cell: bool = False


@dataclass(frozen=True, slots=True)
class Region:
    """A broken table: its columns in order, its tokens, the lines of its head and its end."""

    columns: tuple[Column, ...]
    tokens: tuple[Token, ...]
    from_line: int
    to_line: int


def is_prose(line: str) -> bool:
    """Say whether the line is running text or a heading, and so ends a broken table."""
    word = line.strip()
    return bool(_HEADING.match(word)) or len(word) > 90 or bool(re.search(r"。.{3}|。$", word)) or word.count("，") > 2


def find_regions(lines: Sequence[str], taken: frozenset[int]) -> list[Region]:
    """Return the broken indicator tables of the text; `taken` are lines that belong to separated grids."""
    blocks = list(blocks_of(lines, taken))
    heads = list(_heads(blocks))
    regions: list[Region] = []
    for order, (start, end, columns) in enumerate(heads):
        stop = heads[order + 1][0] if order + 1 < len(heads) else len(blocks)
        tokens = _tokens(blocks[end:stop], trailing_columns(columns))
        last = tokens[-1].to_line if tokens else blocks[end - 1].to_line
        if tokens:
            regions.append(Region(tuple(columns), tuple(tokens), blocks[start].from_line, last))
    return regions


def _heads(blocks: Sequence[Block]) -> Iterator[tuple[int, int, list[Column]]]:
    index = 0
    while index < len(blocks):
        found = _head_at(blocks, index)
        if found is None:
            index += 1
            continue
        end, columns = found
        yield index, end, columns
        index = end


def _head_at(blocks: Sequence[Block], start: int) -> tuple[int, list[Column]] | None:
    first = blocks[start]
    lead = _pieces(first)
    if not lead or len(first.text) > 120 or (classify(lead[0]) or Column("", "")).role not in {"serial", "category", "name"}:
        return None
    pieces: list[str] = []
    end = start
    while end < len(blocks) and len(pieces) < _MAX_HEADER_PIECES:
        here = _pieces(blocks[end])
        following = _pieces(blocks[end + 1]) if end + 1 < len(blocks) else []
        if not all(_is_header_piece(piece) for piece in here) and not (
            pieces
            and len(here) == 1
            and len(here[0]) <= 10
            and not re.search(r"\d|[（(]", here[0])
            and following
            and _valueish(following[0])
        ):
            break
        pieces.extend(here)
        end += 1
    merged = _merge(pieces)
    if len(merged) < 2 or not is_header_row(merged) or (len(merged) == 2 and not _has_rows(blocks[end : end + 6])):
        return None
    return end, [classify(text) or Column("ignored", text) for text in merged]


def _has_rows(blocks: Sequence[Block]) -> bool:
    """Say whether names and values follow a head of two columns, which alone is a weak sign of a table."""
    if any(is_prose(block.text) and not block.cell for block in blocks[:2]):
        return False
    kinds = [token.kind for block in blocks for token in _tokens([block], 0) or [Token("text", "", 0, 0)]]
    return kinds.count("value") >= 2 and kinds.count("text") + 1 >= kinds.count("value")


def _pieces(block: Block) -> list[str]:
    if block.cell:
        return [bare(block.text)]
    pieces = re.sub(r"(?<=\d{4})\s+(?=年)", "", block.text).split()
    return _regrouped(pieces) if 1 < len(pieces) <= 3 * _MAX_HEADER_PIECES and len(block.text) <= 120 else pieces


def _regrouped(pieces: Sequence[str]) -> list[str]:
    """Join the pieces of head cells that a narrow column broke or set apart (计量单 / 位, 2020年实 / 际, 指 / 标).

    Of all ways to join neighbours the one is taken that leaves the fewest pieces that are no words of a head.
    """
    if all(_is_header_piece(piece) for piece in pieces):
        return list(pieces)
    best: list[tuple[int, list[str]]] = [(0, [])]
    for end in range(1, len(pieces) + 1):
        ways: list[tuple[int, list[str]]] = []
        for size in range(1, min(4, end) + 1):
            group = "".join(pieces[end - size : end])
            score, before = best[end - size]
            if size == 1 or (len(group) <= 16 and _is_header_piece(group)):
                ways.append((score + (1 if _is_header_piece(group) else -5), [*before, group]))
        best.append(max(ways, key=lambda way: way[0]))
    score, groups = best[-1]
    return groups if score > 0 else list(pieces)


@lru_cache(maxsize=8192)
def _is_header_piece(piece: str) -> bool:
    if piece.endswith((":", "：")) or (parse_value(piece) is not None and not is_year_text(piece)):
        return False
    return classify(piece) is not None or bare(piece) in {"建设", "性质", "名称", "属性", "(%)", "（%）", "数值", "时间"}


def _valueish(piece: str) -> bool:
    column = classify(piece)
    return column is not None and column.role in {"value", "base", "target"}


def _merge(pieces: Sequence[str]) -> list[str]:
    """Join the fragments of broken header cells: 指标 + 属性, 2020年 + 某区现状."""
    merged: list[str] = []
    lexicon = catalogue().header
    named = frozenset().union(*lexicon.values())
    for piece in pieces:
        if merged:
            before, here = classify(merged[-1]), classify(piece)
            joined = merged[-1] + piece
            if _BRACKETED.fullmatch(piece) and (before is None or before.role not in {"base", "value"} or not before.years):
                merged[-1] = joined
                continue
            if (bare(joined) in named and (not (before and here) or before.role == here.role or _has_name(merged[:-1]))) or (
                before and before.role in {"value", "base", "target"} and _continues(piece, here)
            ):
                merged[-1] = joined
                continue
            if before is None and here and here.role in {"value", "base", "target"} and not here.years:
                merged[-1] = joined
                continue
        merged.append(piece)
    return merged


def _has_name(pieces: Sequence[str]) -> bool:
    return any((column := classify(piece)) is not None and column.role == "name" for piece in pieces)


def _continues(piece: str, here: Column | None) -> bool:
    if here is None:
        return True
    return here.role in {"value", "base", "target"} and not here.years


def _is_group_head(block: Block, following: Sequence[Block]) -> bool:
    """Say whether a heading inside a broken table only names a group of its rows: 一、健康水平, with a row behind it."""
    if not GROUP_HEAD.match(block.text) or len(block.text) > 24 or not following or is_prose(following[0].text):
        return False
    tokens = [_typed(token) for token in _split_line(following[0])]
    if len(tokens) > 1:
        return tokens[0].kind in {"text", "value"} and tokens[-1].kind in {"value", "kind"}
    alone: list[Token] = []
    for after in following:
        if is_prose(after.text) and not GROUP_HEAD.match(after.text):
            break
        alone.extend(_typed(token) for token in _split_line(after))
    return sum(token.kind in {"value", "kind"} for token in alone) >= 2


def _is_row_with_heading(block: Block) -> bool:
    """Say whether a line is a row that its numbered category leads: （一）健康知识普及行动 1 居民健康素养水平（%） 14 22 预期性."""
    if not re.match(r"[（(]?[一二三四五六七八九十]{1,3}[）)、][一-鿿]{2,20}\s", block.text) or len(block.text) > 120:
        return False
    kinds = [_typed(token).kind for token in _split_line(block)]
    return len(kinds) > 3 and (kinds[-1] == "kind" or (kinds[-1] == "value" and kinds.count("value") >= 2))


def trailing_columns(columns: Sequence[Column]) -> int:
    """Return how many columns of words (owners, notes) follow the last value or kind column."""
    roles = [column.role for column in columns]
    last = max((index for index, role in enumerate(roles) if role in {"base", "target", "other", "value", "kind"}), default=0)
    return sum(role in {"owners", "note", "ignored"} for role in roles[last + 1 :])


def _tokens(blocks: Sequence[Block], trailing: int) -> list[Token]:
    tokens: list[Token] = []
    silent = 0
    for index, block in enumerate(blocks):
        ends = is_prose(block.text) and not block.cell and not _is_row_with_heading(block)
        if ends and not _is_group_head(block, blocks[index + 1 : index + 7]):
            break
        here = [Token("text", squeeze(block.text), block.from_line, block.to_line, True)] if block.cell else _split_line(block)
        here = [_typed(token) for token in here]
        silent = 0 if any(token.kind != "text" for token in here) else silent + 1
        tokens.extend(here)
        if silent > 12:
            break
    return _drop_tail(_join_values(tokens), trailing)


def _split_line(block: Block) -> list[Token]:
    """Split a flattened line into name words, values, unit and kind; words of a name keep together."""
    line = _AGE.sub("", re.sub(r"(?<=\d{4})\s+(?=年)", "", block.text))
    line = re.sub(
        r"(?<=[≥≤<>])\s+(?=\d)|(?<=\d)\s+(?=[*%‰])|(?<=\d)\s*[-–~～至]\s*(?=\d)|(?<=\d)(?:—\s*|\s+—)(?=\d)",
        lambda m: m.group().strip(),
        line,
    )
    line = re.sub(r"(?<=[\d%‰])\s+(?=及?以[上下内]|左右|以内)", "", line)
    line = re.sub(r"(?<=预期|约束|倡导|引导|指导)\s+(?=性(?:\s|$))|(?<=/[千万])\s+(?=人(?:\s|$))", "", line)
    line = _GLUED.sub(lambda m: m.group() + " " if catalogue().is_unit(m.group(1)) else m.group(), line)
    tokens: list[Token] = []
    for wide in re.split(r"\s{2,}|\t", line):
        words: list[str] = []
        for piece in _whole_values(wide.split()):
            if _typed(Token("text", piece, 0, 0)).kind == "text":
                words.append(piece)
                continue
            if words:
                tokens.append(Token("text", " ".join(words), block.from_line, block.to_line))
                words = []
            tokens.append(Token("text", piece, block.from_line, block.to_line))
        if words:
            tokens.append(Token("text", " ".join(words), block.from_line, block.to_line))
    return tokens


def _whole_values(pieces: Sequence[str]) -> list[str]:
    """Join the pieces of a value that a narrow column broke: 下降到18以 / 下, 年均增 / 长10%, 89.6（2014 / 年）."""
    made: list[str] = []
    index = 0
    while index < len(pieces):
        size = 1
        piece = pieces[index]
        if piece[0] not in "（([" and (re.search(r"\d", piece) or _VALUE_START.match(piece)) and parse_value(piece) is None:
            size = next((size for size in (2, 3) if _is_value_of(pieces[index : index + size], size)), 1)
        made.append("".join(pieces[index : index + size]))
        index += size
    return made


def _is_value_of(pieces: Sequence[str], size: int) -> bool:
    found = parse_value("".join(pieces)) if len(pieces) == size and sum(map(len, pieces)) <= 20 else None
    return found is not None and found.value is not None


def _typed(token: Token) -> Token:
    word = bare(token.text)
    kind = "text"
    if _KIND.fullmatch(word):
        kind = "kind"
    elif word in {"%", "‰"} or (catalogue().is_unit(word) and not word.isdigit()):
        kind = "unit"
    elif not _is_unit_bracket(token.text) and parse_values(token.text):
        kind = "value"
    return Token(kind, token.text, token.from_line, token.to_line, token.cell)


def _join_values(tokens: Sequence[Token]) -> list[Token]:
    """Join a value that was broken over lines: （含新增 / 225.0）, 年均增 / 长 10%."""
    joined: list[Token] = []
    index = 0
    while index < len(tokens):
        token = tokens[index]
        if joined and _ends_value(joined[-1], token):
            joined[-1] = Token("value", joined[-1].text + token.text, joined[-1].from_line, token.to_line)
            index += 1
            continue
        if token.kind == "text" and not token.cell and _VALUE_START.match(token.text) and not _is_unit_bracket(token.text):
            for size in range(2, 5):
                part = tokens[index : index + size]
                text = "".join(piece.text for piece in part)
                if len(part) == size and re.search(r"\d|提高|增长|下降", text) and parse_value(text) is not None:
                    joined.append(Token("value", text, token.from_line, part[-1].to_line))
                    index += size
                    break
            else:
                joined.append(token)
                index += 1
            continue
        joined.append(token)
        index += 1
    return joined


def _ends_value(before: Token, token: Token) -> bool:
    """Say whether words finish the value before them: 控制在10 / 以内, 下降0.5个 / 百分点以上."""
    if before.kind != "value" or token.kind not in {"text", "unit"} or before.cell or token.cell:
        return False
    return (
        bool(re.fullmatch(r"个?百分点(?:及?以[上下内])?|及?以[上下内]|左右", bare(token.text)))
        and parse_value(before.text + token.text) is not None
    )


def _is_unit_bracket(text: str) -> bool:
    return bool(re.match(r"[（(\[]", text)) and catalogue().is_unit(text.strip("（）()[] "))


def _drop_tail(tokens: list[Token], trailing: int) -> list[Token]:
    """Leave out the words after the last value that belong to no column of the last row."""
    end = len(tokens)
    while end and tokens[end - 1].kind == "text":
        end -= 1
    tail = tokens[end] if end < len(tokens) else None
    is_name_tail = tail is not None and bool(re.search(r"[（(][^（()）]+[）)]$", tail.text))
    return tokens[: min(len(tokens), end + max(trailing, int(is_name_tail)))] if end else []
