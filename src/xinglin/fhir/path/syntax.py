"""The tree of a FHIRPath expression, and the parser that makes it.

Precedence as in the FHIRPath grammar: `. []`, unary sign, `* / div mod`, `+ - &`, `is as`, `|`, `< >`, `= ~`, `in contains`, `and`,
`or xor`, `implies`.  Source: FHIRPath 2.0.0, Operator Precedence and Appendix A.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from xinglin.base.errors import DefinitionError
from xinglin.fhir.path.tokens import Token, refusal, tokenize


@dataclass(frozen=True, slots=True)
class Literal:
    """A value as written; None stands for `{}`."""

    value: object
    position: int


@dataclass(frozen=True, slots=True)
class Constant:
    """`%name`."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Special:
    """`$this`, `$index` or `$total`."""

    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Member:
    """`left.name`; left None stands for the focus."""

    left: Expression | None
    name: str
    position: int


@dataclass(frozen=True, slots=True)
class Call:
    """`left.name(arguments)`; left None stands for the focus."""

    left: Expression | None
    name: str
    arguments: tuple[Expression, ...]
    position: int


@dataclass(frozen=True, slots=True)
class Index:
    """`left[index]`."""

    left: Expression
    index: Expression
    position: int


@dataclass(frozen=True, slots=True)
class Sign:
    """`-operand` or `+operand`."""

    sign: str
    operand: Expression
    position: int


@dataclass(frozen=True, slots=True)
class Binary:
    """`left operator right`."""

    operator: str
    left: Expression
    right: Expression
    position: int


@dataclass(frozen=True, slots=True)
class TypeTest:
    """`left is type` or `left as type`."""

    operator: str
    left: Expression
    type_name: str
    position: int


Expression = Literal | Constant | Special | Member | Call | Index | Sign | Binary | TypeTest

_STRENGTH: Final = {
    "implies": 1, "or": 2, "xor": 2, "and": 3, "in": 4, "contains": 4, "=": 5, "~": 5, "!=": 5, "!~": 5,
    "<": 6, ">": 6, "<=": 6, ">=": 6, "|": 7, "is": 8, "as": 8, "+": 9, "-": 9, "&": 9, "*": 10, "/": 10, "div": 10, "mod": 10,
}  # fmt: skip
_SIGN_STRENGTH: Final = 11


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = tokenize(text)
        self._at = 0

    def whole(self) -> Expression:
        expression = self._expression(0)
        if self._next.kind != "end":
            raise self._unexpected("此处应结束，或写一个运算符", "the expression should end here, or an operator stand here")
        return expression

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def _is_sign(self, sign: str) -> bool:
        return self._next.kind == "sign" and self._next.text == sign

    def _expect(self, sign: str) -> None:
        if not self._is_sign(sign):
            raise self._unexpected(f"此处应为 {sign}", f"write {sign} here")
        self._at += 1

    def _unexpected(self, zh: str, en: str) -> DefinitionError:
        return refusal(self._text, self._next.position, zh, en)

    def _expression(self, least: int) -> Expression:
        left = self._signed()
        while True:
            token = self._next
            strength = _STRENGTH.get(token.text, 0) if token.kind in ("sign", "name") else 0
            if strength <= least:
                return left
            self._at += 1
            if token.text in ("is", "as"):
                left = TypeTest(token.text, left, self._type_name(), token.position)
            else:
                left = Binary(token.text, left, self._expression(strength), token.position)

    def _signed(self) -> Expression:
        if self._is_sign("-") or self._is_sign("+"):
            token = self._take()
            return Sign(token.text, self._expression(_SIGN_STRENGTH), token.position)
        return self._chain(self._term())

    def _chain(self, left: Expression) -> Expression:
        while True:
            if self._is_sign("."):
                self._at += 1
                left = self._invocation(left)
            elif self._is_sign("["):
                position = self._take().position
                index = self._expression(0)
                self._expect("]")
                left = Index(left, index, position)
            else:
                return left

    def _term(self) -> Expression:
        token = self._next
        if token.kind in ("name", "quoted") and token.text not in ("true", "false"):
            return self._invocation(None)
        self._at += 1
        if token.kind == "special":
            return Special(token.text, token.position)
        if token.kind == "constant":
            return Constant(token.text, token.position)
        if token.kind == "sign":
            return self._bracketed(token)
        return self._literal(token)

    def _bracketed(self, token: Token) -> Expression:
        if token.text == "(":
            inner = self._expression(0)
            self._expect(")")
            return inner
        if token.text == "{":
            self._expect("}")
            return Literal(None, token.position)
        self._at -= 1
        raise self._unexpected("此处应为路径或值", "a path or a value should stand here")

    def _literal(self, token: Token) -> Literal:
        if token.kind == "string":
            return Literal(token.text, token.position)
        if token.kind == "moment":
            return Literal(token.text[1:] if token.text.startswith("T") else token.text.removesuffix("T"), token.position)
        if token.kind == "number":
            return Literal(Decimal(token.text) if "." in token.text else int(token.text), token.position)
        if token.kind == "name":
            return Literal(token.text == "true", token.position)
        self._at -= 1
        raise self._unexpected("表达式在此中断；请补全", "the expression stops here; complete it")

    def _invocation(self, left: Expression | None) -> Expression:
        token = self._take()
        if token.kind == "special" and left is not None:
            return Special(token.text, token.position)
        if token.kind not in ("name", "quoted"):
            self._at -= 1
            raise self._unexpected("此处应为元素名或函数名", "the name of an element or function should stand here")
        if not self._is_sign("("):
            return Member(left, token.text, token.position)
        self._at += 1
        return Call(left, token.text, self._arguments(), token.position)

    def _arguments(self) -> tuple[Expression, ...]:
        arguments: list[Expression] = []
        if not self._is_sign(")"):
            arguments.append(self._expression(0))
            while self._is_sign(","):
                self._at += 1
                arguments.append(self._expression(0))
        self._expect(")")
        return tuple(arguments)

    def _type_name(self) -> str:
        token = self._take()
        if token.kind not in ("name", "quoted"):
            self._at -= 1
            raise self._unexpected("此处应为类型名，例如 Quantity", "the name of a type should stand here, such as Quantity")
        name = token.text
        while self._is_sign("."):
            self._at += 1
            name = self._take().text
        return name


def parse(text: str) -> Expression:
    """Return the tree of a FHIRPath text.  Raises: DefinitionError with the position of the first mistake."""
    return _Parser(text).whole()
