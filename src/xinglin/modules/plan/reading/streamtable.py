"""Rows out of a broken table: a small state machine that follows the columns of its head."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from xinglin.modules.plan.reading.catalogue import catalogue
from xinglin.modules.plan.reading.header import Column, is_pace
from xinglin.modules.plan.reading.layout import Cell
from xinglin.modules.plan.reading.normal import bare, squeeze
from xinglin.modules.plan.reading.rows import Draft
from xinglin.modules.plan.reading.stacked import group_names
from xinglin.modules.plan.reading.stream import GROUP_HEAD, Token, trailing_columns
from xinglin.modules.plan.reading.values import parse_value

_COUNT: Final = re.compile(r"\s*[（(]\s*\d+\s*[个项条]?\s*[）)]$")
_OFFICE: Final = re.compile(r"^(?:[省市区县州各]|国家).{1,16}(?:委|局|办|厅|中心|院|会|政府|联|部|镇|街道|公司|大队|支队)$")
_VALUES: Final = frozenset({"base", "target", "other"})
_UNIT_END: Final = re.compile(r"[（(]\s*([^（()）]*)\s*[）)]\s*$")
_NAME_START: Final = re.compile(r"^(?:每[千万百十]|人均|居民|其中|适龄|孕产妇|婴儿|\d|全[省市区县]|以|二级|三级|重点)")
_WORDED: Final = re.compile(
    r"^(?:完成|达到|力争|控制在|保持|稳定|稳步|逐步|逐年|持续|按照?|符合|不断|实现|全面|明显|显著|进一步|高于|低于|优于|不高于|不低于|同步|同比例|合理|低流行)"
)
_INDICATOR_END: Final = re.compile(r"(?:率|数|比例|比重|占比|寿命|强度|天数|住院日|人员|收入|支出|床位)(?:[（(].*)?$")


@dataclass(slots=True)
class _State:
    """What has been seen of the row under way."""

    columns: tuple[Column, ...]
    drafts: list[Draft] = field(default_factory=list)
    texts: list[Token] = field(default_factory=list)
    values: list[Token] = field(default_factory=list)
    after: list[Token] = field(default_factory=list)
    category: str = ""
    serial: str = ""
    unit: str = ""
    kind: str = ""
    last: Token | None = None
    kind_line: int = 0
    one_cell_a_line: bool = False
    several: int = 1

    @property
    def value_columns(self) -> list[Column]:
        """The columns that a value or word may fill: value columns, and notes (年均增速) that stand between them."""
        values = [index for index, column in enumerate(self.columns) if column.role in _VALUES]
        ends = [index for index, column in enumerate(self.columns) if column.role in _VALUES or column.role == "kind"]
        inside = range(values[0], max(ends) + 1) if values else range(0)
        return [self.columns[index] for index in inside if self.columns[index].role in _VALUES | {"note", "ignored"}]

    def has(self, role: str) -> bool:
        return any(column.role == role for column in self.columns)

    @property
    def is_full(self) -> bool:
        return len(self.values) >= len(self.value_columns) and (bool(self.kind) or not self.has("kind"))

    @property
    def trailing(self) -> int:
        """How many text columns (owners, note) follow the values."""
        return trailing_columns(self.columns)


def read_region(columns: Sequence[Column], tokens: Sequence[Token], category: str = "") -> list[Draft]:
    """Return the drafts of a broken table, in the order of print."""
    state = _State(tuple(columns), category=category, one_cell_a_line=_is_one_cell_a_line(tokens))
    for index, token in enumerate(tokens):
        following = tokens[index + 1] if index + 1 < len(tokens) else None
        if _is_dash_for_unit(state, tokens, index):
            continue
        if token.kind == "value" and not state.values:
            state.several = _stacked_count(state, tokens, index)
        _step(state, token, following)
        state.last = token
    _finish(state)
    _join_categories(state.drafts)
    return state.drafts


def _join_categories(drafts: Sequence[Draft]) -> None:
    """Join a category that stood broken beside several rows (健康 … 水平 …) and give it to all of them."""
    groups: list[list[Draft]] = []
    for draft in drafts:
        if groups and groups[-1][0].category == draft.category:
            groups[-1].append(draft)
        else:
            groups.append([draft])
    for first, second in zip(groups, groups[1:], strict=False):
        joined = first[0].category + second[0].category
        if joined in catalogue().categories and first[0].category not in catalogue().categories:
            for draft in (*first, *second):
                draft.category = joined


def _stacked_count(state: _State, tokens: Sequence[Token], index: int) -> int:
    """Return how many rows stand in one: as many times the values of a row follow, under as many names, one cell a line."""
    wanted = len(state.value_columns)
    stop = next((place for place in range(index, len(tokens)) if tokens[place].kind != "value"), len(tokens))
    count, rest = divmod(stop - index, wanted) if wanted else (1, 0)
    if not state.one_cell_a_line or rest or not 2 <= count <= len(state.texts) or not state.has("kind"):
        return 1
    return count


def _is_dash_for_unit(state: _State, tokens: Sequence[Token], index: int) -> bool:
    """Say whether a dash stands in the column of units, as one value too many follows: 医护比 — 1∶1.15 1∶1.20."""
    if not state.has("unit") or state.unit or state.values or not state.texts or tokens[index].kind != "value":
        return False
    found = parse_value(tokens[index].text)
    if found is None or not found.is_dash:
        return False
    wanted = len(state.value_columns)
    return len(tokens) > index + wanted and all(token.kind == "value" for token in tokens[index : index + wanted + 1])


def _is_one_cell_a_line(tokens: Sequence[Token]) -> bool:
    """Say whether nearly every value stands alone on its line."""
    lines = Counter(token.from_line for token in tokens)
    values = [token for token in tokens if token.kind == "value"]
    return bool(values) and sum(lines[token.from_line] == 1 for token in values) > 0.8 * len(values)


def _step(state: _State, token: Token, following: Token | None) -> None:
    match token.kind:
        case "value":
            _value(state, token, following)
        case "kind":
            if not state.kind and (state.values or state.texts):
                state.kind = bare(token.text)
                state.kind_line = token.to_line
        case "unit" if state.has("unit") and state.texts and not state.values and not state.unit:
            state.unit = bare(token.text)
        case "unit" if state.has("unit") and state.unit and not state.values and not token.cell:
            state.texts.append(Token("text", state.unit, token.from_line, token.to_line))
            state.unit = bare(token.text)
        case "unit" if state.values and state.last is not None and state.last.kind == "value":
            previous = state.values[-1]
            state.values[-1] = Token("value", previous.text + bare(token.text), previous.from_line, token.to_line, previous.cell)
        case _:
            _text(state, token, following)


def _text(state: _State, token: Token, following: Token | None) -> None:
    if state.values or state.kind:
        worded = (following is not None and (following.kind == "kind" or (token.cell and following.kind == "value"))) or bool(
            _WORDED.match(token.text) and len(token.text) <= 24 and not _INDICATOR_END.search(token.text)
        )
        if not state.is_full and not state.kind and len(state.values) < len(state.value_columns) and worded:
            state.values.append(token)
            return
        more_owners = bool(state.after) and state.has("owners") and bool(_OFFICE.match(bare(token.text)))
        if state.trailing and (len(state.after) < state.trailing or more_owners) and _is_trailing(state, token, following):
            state.after.append(token)
            return
        if not token.cell and state.is_full and _is_name_tail(state, token, following):
            state.texts.append(token)
            return
        _finish(state)
    state.texts.append(token)


def _is_name_tail(state: _State, token: Token, following: Token | None) -> bool:
    """Say whether the words finish the name of the row whose values stood in its middle line: 亡率（%）."""
    name = "".join(text.text for text in state.texts)
    if state.has("unit") or _UNIT_END.search(name) or len(token.text) > 20 or _NAME_START.match(token.text):
        return False
    bracket = _UNIT_END.search(token.text)
    if bracket is None or not catalogue().is_unit(bracket.group(1)):
        return False
    return following is None or following.kind == "text" or (state.has("serial") and bare(following.text).isdigit())


def _is_trailing(state: _State, token: Token, following: Token | None) -> bool:
    """An owner or note stands right behind the values; a name is followed by its unit or values."""
    if state.has("serial"):
        return True
    return not (following is not None and following.kind in {"value", "unit"}) and not re.search(r"[（(][^（()）]*[）)]$", token.text)


def _is_count_of_category(state: _State, token: Token) -> bool:
    """Say whether a bracketed number only counts the rows of the category before it: 健康水平（3）."""
    words = bare("".join(text.text for text in state.texts))
    return (
        bool(_COUNT.fullmatch(bare(token.text)))
        and not state.values
        and bool(re.fullmatch(r"[一-鿿]{2,8}", words))
        and state.has("category")
    )


def _value(state: _State, token: Token, following: Token | None) -> None:
    if _is_count_of_category(state, token):
        state.texts.append(Token("text", token.text, token.from_line, token.to_line))
        return
    if state.has("serial") and _is_serial(state, token, following):
        _finish(state)
        if state.texts:
            state.category, state.texts = _category_text(state.texts), []
        state.serial = bare(token.text)
        return
    if not state.texts and not state.values:
        return
    if len(state.values) >= len(state.value_columns) * state.several:
        return
    state.values.append(token)


def _is_serial(state: _State, token: Token, following: Token | None) -> bool:
    word = bare(token.text).rstrip(".、．")
    if not word.isdigit() or len(word) > 3:
        return False
    expected = int(state.serial) + 1 if state.serial.isdigit() else int(word)
    if not expected <= int(word) <= expected + 2 or following is None or following.kind != "text":
        return False
    return not state.texts or state.is_full or not state.values


def _category_text(texts: Sequence[Token]) -> str:
    return squeeze(_COUNT.sub("", "".join(text.text for text in texts)))


def _take_worded(state: _State) -> None:
    """Take the last words of a row without numbers as its values: 疫情 低流行水平 低流行水平 预期性."""
    wanted = len(state.value_columns)
    if state.one_cell_a_line and wanted and len(state.texts) > wanted:
        state.texts, state.values = state.texts[:-wanted], state.texts[-wanted:]
        return
    last = state.texts[-1]
    words = last.text.split(" ")
    if last.cell or len(words) <= wanted or not wanted:
        return
    state.values = [Token("value", word, last.from_line, last.to_line) for word in words[-wanted:]]
    state.texts[-1] = Token("text", " ".join(words[:-wanted]), last.from_line, last.to_line)


def _finish(state: _State) -> None:
    if state.texts and state.kind and not state.values:
        _take_worded(state)
    if state.texts and (state.values or state.kind):
        head, name = _split_category(state)
        if head:
            state.category = _category_text(head)
        state.drafts.extend(_drafts(state, name))
        state.texts = []
    elif state.values or state.kind:
        state.texts = []
    state.values, state.after = [], []
    state.serial = state.serial if state.drafts else ""
    state.unit = state.kind = ""
    state.kind_line = 0
    state.several = 1


def _drafts(state: _State, name: Sequence[Token]) -> list[Draft]:
    """Return the draft of a row, or of each row where names stand over names and their values column by column."""
    found = group_names([token.text for token in name], state.several) if state.several > 1 else None
    if found is None:
        state.values = state.values[: len(state.value_columns)]
        return [_draft(state, name)]
    values, made = state.values, []
    for index, text in enumerate(found.names):
        state.values = values[index :: state.several]
        made.append(_draft(state, [Token("text", text, name[0].from_line, name[-1].to_line, True)]))
        made[-1].whole = found.whole
    return made


def _split_category(state: _State) -> tuple[list[Token], list[Token]]:
    """Return (category tokens, name tokens): short words before the name that the catalogue or their shape shows as a category."""
    texts = _split_first(state)
    known = catalogue().categories
    if len(texts) > 1 and GROUP_HEAD.match(bare(texts[0].text)):
        return texts[:1], texts[1:]
    if len(texts) == len(state.texts) + 1 and not state.has("category"):
        return texts[:1], texts[1:]
    for size in range(min(5, len(texts) - 1), 0, -1):
        if bare(_category_text(texts[:size])) in known:
            return texts[:size], texts[size:]
    if not state.has("category") or len(texts) < 2:
        return [], texts
    if texts[0].cell:
        return texts[:1], texts[1:]
    first = bare(texts[0].text)
    if state.one_cell_a_line and re.fullmatch(r"[一-鿿]{2,8}", first) and not _NAME_START.match(first) and not _INDICATOR_END.search(first):
        return texts[:1], texts[1:]
    size = 0
    while size < len(texts) - 1 and re.fullmatch(r"[一-鿿]{1,4}(?:[（(]\d+[个项][）)])?", bare(texts[size].text)):
        size += 1
    head = _category_text(texts[:size])
    if size and 2 <= len(head) <= 8 and not _NAME_START.match(head) and not _INDICATOR_END.search(head) and len(bare(texts[size].text)) > 4:
        return texts[:size], texts[size:]
    return [], texts


def _before_serial(text: str) -> tuple[str, str, str] | None:
    """Return the category before a numbered name on the same line: 经济发展 / 1.地区生产总值增长（%）."""
    match = re.match(r"([一-鿿、]{1,14}) (?=\d{1,3}[.．、]\s?[一-鿿])", text)
    return (match.group(1), " ", text[match.end() :]) if match else None


def _split_first(state: _State) -> list[Token]:
    """Part a category from the name that follows it on the same line."""
    texts = list(state.texts)
    for index, token in enumerate(texts[:5]):
        led = _before_serial(token.text)
        first, _, rest = led or token.text.partition(" ")
        if token.cell or not rest:
            continue
        if led and index and state.has("category") and all(len(bare(text.text)) <= 4 for text in texts[:index]):
            part = [Token("text", first, token.from_line, token.to_line), Token("text", rest, token.from_line, token.to_line)]
            return texts[:index] + part + texts[index + 1 :]
        known = (
            bare("".join(text.text for text in texts[:index]) + first) in catalogue().categories or bare(first) in catalogue().categories
        )
        shaped = (
            state.has("category")
            and re.fullmatch(r"[一-鿿]{2,6}|[一-鿿]{2,4}[与和及][一-鿿]{2,5}", first)
            and not _NAME_START.match(first)
            and not _INDICATOR_END.search(first)
        )
        part_of = len(first) == 2 and index == 0 and any(word.startswith(first) or word.endswith(first) for word in catalogue().categories)
        if (
            known
            or (part_of and _UNIT_END.search(rest) and not _NAME_START.match(first))
            or (shaped and re.match(r"\d{1,3}[.．、]?[一-鿿]|[一-鿿\d]{3,}", rest) and index == 0)
        ):
            part = [Token("text", first, token.from_line, token.to_line), Token("text", rest, token.from_line, token.to_line)]
            return texts[:index] + part + texts[index + 1 :]
    return texts


def _draft(state: _State, name: Sequence[Token]) -> Draft:
    draft = Draft(
        name="".join(token.text if token.cell else " " + token.text for token in name).strip(),
        category=state.category,
        serial=state.serial,
        unit=state.unit,
        kind=state.kind,
        owners="、".join(token.text for token in state.after) if state.has("owners") else "",
        note="" if state.has("owners") else "；".join(token.text for token in state.after),
        from_line=name[0].from_line,
    )
    cells = [Cell(token.text, token.from_line, token.to_line) for token in state.values]
    placed = _place(state.value_columns, cells, draft)
    draft.cells = [(column, cell) for column, cell in placed if column.role in _VALUES]
    draft.pace = next((cell for column, cell in placed if cell and is_pace(column) and parse_value(cell.text)), None)
    beside = [
        f"{column.text}：{cell.text}" for column, cell in placed if column.role not in _VALUES and cell and re.search(r"\d", cell.text)
    ]
    draft.note = "；".join(part for part in (draft.note, *beside) if part)
    draft.to_line = max([state.kind_line, *(token.to_line for token in (*name, *state.values, *state.after))])
    draft.printed = "\t".join([squeeze(draft.name), *(cell.text for cell in cells), *([state.kind] if state.kind else [])])
    return draft


def _place(columns: Sequence[Column], cells: Sequence[Cell], draft: Draft) -> list[tuple[Column, Cell | None]]:
    """Put the values under their columns; when one is missing, the last one is the target and the guess is said."""
    missing = len(columns) - len(cells)
    if missing <= 0:
        return list(zip(columns, cells, strict=False))
    target = next((index for index, column in enumerate(columns) if column.role == "target"), len(columns) - 1)
    placed: dict[int, Cell] = {}
    if len(cells) == 1:
        placed[target] = cells[0]
    else:
        bases = [index for index, column in enumerate(columns) if column.role == "base"]
        rest = [index for index in range(len(columns)) if index not in bases]
        order = rest if len(rest) == len(cells) else list(range(len(cells)))
        placed = dict(zip(order, cells, strict=False))
    value = parse_value(cells[0].text) if len(cells) == 1 else None
    if value is None or value.op is None:
        draft.reasons.append(f"这一行只有{len(cells)}个数值，表头有{len(columns)}列，按目标值读")
    return [(column, placed.get(index)) for index, column in enumerate(columns)]
