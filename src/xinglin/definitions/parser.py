"""The expression language: text → nodes, by precedence climbing, with line and column in every fault.

or > and > not > comparison (= != < <= > >= , in, between .. and .., within a .. b, is [not] missing) > + - > * / > x.y
rows where condition        if c then a elif d then b else e end        date + 3 months
exists count latest earliest last first min max count_distinct consecutive coalesce least greatest round floor
age_at days_between year_of quarter_of month_of start_of_year end_of_quarter ...
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final, Protocol

from xinglin.base.errors import DefinitionError
from xinglin.definitions import combine, nodes, time_nodes
from xinglin.definitions.calls import ROW_FUNCTIONS, call
from xinglin.definitions.lake_columns import LAKE
from xinglin.definitions.nodes import Node
from xinglin.definitions.tokens import Place, Token, tokens

_COMPARISONS: Final = frozenset({"=", "!=", "<", "<=", ">", ">="})
_UNITS: Final = {
    "day": ("days", 1),
    "days": ("days", 1),
    "month": ("months", 1),
    "months": ("months", 1),
    "year": ("months", 12),
    "years": ("months", 12),
}


class Names(Protocol):
    """What the names in an expression stand for; the loader knows."""

    def value(self, name: str) -> Node | None:
        """Return the named value, rows or parameter, or None."""

    def codes(self, name: str) -> tuple[str, ...] | None:
        """Return the codes of a parameter that lists codes, or None."""

    def code_set(self, name: str) -> tuple[str, ...] | None:
        """Return the prefixes of a code set, or None."""

    def equivalents(self, name: str) -> Mapping[str, tuple[str, ...]]:
        """Return system → codes of other systems that count as members of a code set."""

    def function(self, name: str, arguments: tuple[Node, ...]) -> Node | None:
        """Return a calculator's body with the arguments put in, or None when there is no such calculator."""

    def known(self) -> tuple[str, ...]:
        """Return every name, for the error that lists them."""


def parse(text: str, names: Names, place: Place) -> Node:
    """Return the node an expression says. Raises: DefinitionError with file:line:column and what to write instead."""
    parser = _Parser(tokens(text, place), names, place)
    node = parser.clause("")
    parser.expect_end()
    return node


class _Parser:
    def __init__(self, words: list[Token], names: Names, place: Place) -> None:
        self._words = words
        self._at = 0
        self._names = names
        self._place = place

    def _now(self) -> Token:
        return self._words[self._at]

    def _next(self) -> Token:
        word = self._words[self._at]
        self._at = min(self._at + 1, len(self._words) - 1)
        return word

    def _is(self, text: str) -> bool:
        word = self._now()
        return word.text == text and word.sort in ("keyword", "sign")

    def _take(self, text: str) -> bool:
        if self._is(text):
            self._next()
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._take(text):
            self._fail(f"这里要写 {text}", f"write {text} here")

    def _fail(self, zh: str, en: str, word: Token | None = None) -> DefinitionError:
        word = word or self._now()
        shown = word.text or "（结尾）"
        raise DefinitionError(
            f"{zh}，现在是 {shown}", f"{en}; found {word.text or 'the end'}", where=self._place.at(word.line, word.column)
        )

    def expect_end(self) -> None:
        if self._now().sort != "end":
            self._fail("表达式到这里应当结束", "the expression should end here")

    def _built(self, word: Token, make: object, *parts: object) -> Node:
        try:
            return make(*parts)  # type: ignore[operator, no-any-return]
        except DefinitionError as error:
            if error.where:
                raise
            raise DefinitionError(error.zh, error.en, where=self._place.at(word.line, word.column)) from error

    def clause(self, row: str) -> Node:
        node = self._either(row)
        while self._is("where"):
            word = self._next()
            if not isinstance(node, combine.Rows):
                self._fail("where 前面要是行集（表或已命名的行）", "rows (a table or named rows) must stand before where", word)
            else:
                node = self._built(word, combine.Where, node, self._either(node.table))
        return node

    def _either(self, row: str) -> Node:
        word, items = self._now(), [self._both(row)]
        while self._take("or"):
            items.append(self._both(row))
        return items[0] if len(items) == 1 else self._built(word, nodes.Or, tuple(items))

    def _both(self, row: str) -> Node:
        word, items = self._now(), [self._negated(row)]
        while self._take("and"):
            items.append(self._negated(row))
        return items[0] if len(items) == 1 else self._built(word, nodes.And, tuple(items))

    def _negated(self, row: str) -> Node:
        word = self._now()
        if self._take("not"):
            return self._built(word, nodes.Not, self._negated(row))
        return self._comparison(row)

    def _comparison(self, row: str) -> Node:
        left = self._sum(row)
        word = self._now()
        if word.sort == "sign" and word.text in _COMPARISONS:
            self._next()
            return self._built(word, nodes.Compare, word.text, left, self._sum(row))
        if self._take("is"):
            negative = self._take("not")
            self._expect("missing")
            found = self._built(word, nodes.IsMissing, left)
            return self._built(word, nodes.Not, found) if negative else found
        if self._take("between") or self._take("within"):
            low = self._sum(row)
            self._expect("and" if word.text == "between" else "..")
            return self._built(word, nodes.Between, left, low, self._sum(row))
        if self._is("not") and self._words[self._at + 1].text == "in":
            self._next()
            self._next()
            return self._built(word, nodes.Not, self._member(left, word))
        if self._take("in"):
            return self._member(left, word)
        return left

    def _member(self, left: Node, word: Token) -> Node:
        if self._take("["):
            codes = [self._code()]
            while self._take(","):
                codes.append(self._code())
            self._expect("]")
            return self._built(word, nodes.OneOf, left, tuple(codes))
        name = self._next()
        codes_ = self._names.codes(name.text)
        if codes_ is not None:
            return self._built(word, nodes.OneOf, left, codes_)
        prefixes = self._names.code_set(name.text)
        if prefixes is None:
            self._fail(
                "没有这个代码集；写 ['1', '2'] 或已定义的代码集名", "no such code set; write ['1', '2'] or the name of a code set", name
            )
        found = self._built(word, nodes.CodedIn, left, name.text, prefixes)
        return self._with_equivalents(word, found, self._names.equivalents(name.text))

    def _with_equivalents(self, word: Token, found: Node, equivalents: Mapping[str, tuple[str, ...]]) -> Node:
        """Let a code of another system count, where the row says of which system its code is."""
        value = found.value if isinstance(found, nodes.CodedIn) else None
        if not equivalents or not isinstance(value, nodes.Column) or "system" not in LAKE[value.table].columns:
            return found
        system = nodes.Column(value.table, "system")
        ways = [
            self._built(
                word,
                nodes.And,
                (self._built(word, nodes.Compare, "=", system, nodes.Literal(name)), self._built(word, nodes.OneOf, value, codes)),
            )
            for name, codes in equivalents.items()
        ]
        return self._built(word, nodes.Or, (found, *ways))

    def _code(self) -> str:
        word = self._next()
        if word.sort != "text":
            self._fail("代码写在单引号里，如 '1'", "write a code in single quotes, such as '1'", word)
        return word.text[1:-1]

    def _sum(self, row: str) -> Node:
        node = self._product(row)
        while self._is("+") or self._is("-"):
            word = self._next()
            right = self._product(row)
            unit = self._now()
            if unit.sort == "keyword" and unit.text in _UNITS:
                self._next()
                node = self._built(word, self._moved, node, right, word.text, unit.text)
            else:
                node = self._built(word, nodes.Arithmetic, word.text, node, right)
        return node

    @staticmethod
    def _moved(day: Node, amount: Node, sign: str, unit: str) -> Node:
        word, factor = _UNITS[unit]
        factor = -factor if sign == "-" else factor
        if isinstance(amount, nodes.Literal) and isinstance(amount.value, int):
            return time_nodes.AddTime(day, nodes.Literal(amount.value * factor), word)
        scaled = amount if factor == 1 else nodes.Arithmetic("*", amount, nodes.Literal(factor))
        return time_nodes.AddTime(day, scaled, word)

    def _product(self, row: str) -> Node:
        node = self._dotted(row)
        while self._is("*") or self._is("/"):
            word = self._next()
            node = self._built(word, nodes.Arithmetic, word.text, node, self._dotted(row))
        return node

    def _dotted(self, row: str) -> Node:
        word = self._now()
        if word.sort == "name" and word.text in ("latest", "earliest"):
            return self._picked(row)
        node = self._primary(row)
        if self._is(".") and isinstance(node, nodes.Column):
            self._next()
            return self._built(word, nodes.Follow, node.table, node.name, self._next().text)
        return node

    def _picked(self, row: str) -> Node:
        word = self._next()
        self._expect("(")
        rows = self.clause("")
        self._expect(")")
        if not isinstance(rows, combine.Rows):
            self._fail(f"{word.text} 要行集", f"{word.text} takes rows", word)
        elif not self._take("."):
            self._fail(f"写 {word.text}(...).列名", f"write {word.text}(...).column")
        else:
            name = self._next()
            value = self._built(name, nodes.Column, rows.table, name.text)
            if self._take("."):
                value = self._built(name, nodes.Follow, rows.table, name.text, self._next().text)
            return self._built(word, combine.Pick, rows, word.text, value)
        raise AssertionError("unreachable: _fail raises")

    def _primary(self, row: str) -> Node:
        word = self._next()
        if word.sort == "number":
            return nodes.Literal(float(word.text) if "." in word.text else int(word.text))
        if word.sort == "text":
            return nodes.Literal(word.text[1:-1])
        if word.sort == "date":
            return self._built(word, _day, word.text)
        if word.text == "-" and self._now().sort == "number":
            number = self._next().text
            return nodes.Literal(-float(number) if "." in number else -int(number))
        if word.text in ("true", "false"):
            return nodes.Literal(word.text == "true")
        if word.text == "missing":
            return nodes.Literal(None)
        if word.text == "as_of":
            return nodes.AsOf()
        if word.text == "(":
            node = self.clause(row)
            self._expect(")")
            return node
        if word.text == "if":
            return self._choice(word, row)
        if word.sort == "name":
            return self._call(word, row) if self._is("(") else self._name(word, row)
        self._fail("这里要一个值", "a value is needed here", word)
        raise AssertionError("unreachable: _fail raises")

    def _choice(self, word: Token, row: str) -> Node:
        branches = []
        while True:
            condition = self._either(row)
            self._expect("then")
            branches.append((condition, self._either(row)))
            if not self._take("elif"):
                break
        self._expect("else")
        otherwise = self._either(row)
        self._expect("end")
        return self._built(word, combine.Case, tuple(branches), otherwise)

    def _name(self, word: Token, row: str) -> Node:
        if row and word.text in LAKE[row].columns:
            return nodes.Column(row, word.text)
        found = self._names.value(word.text)
        if found is not None:
            return found
        if word.text in LAKE:
            return combine.Table(word.text)
        known = ", ".join(sorted({*self._names.known(), *(LAKE[row].columns if row else LAKE)}))
        self._fail(f"没有 {word.text}；可用：{known}", f"there is no {word.text}; write one of {known}", word)
        raise AssertionError("unreachable: _fail raises")

    def _call(self, word: Token, row: str) -> Node:
        self._expect("(")
        arguments: list[Node] = []
        inside = "" if word.text in ROW_FUNCTIONS else row
        while not self._is(")"):
            arguments.append(self.clause(inside))
            if isinstance(arguments[0], combine.Rows):
                inside = arguments[0].table
            if not self._take(","):
                break
        self._expect(")")
        made = self._built(word, call, word.text, tuple(arguments), self._names.function)
        return made


def _day(text: str) -> Node:
    try:
        return nodes.Literal(date.fromisoformat(text))
    except ValueError as error:
        raise nodes.wrong("没有这一天，写 2026-01-31 这样的日期", "there is no such day; write a date such as 2026-01-31") from error
