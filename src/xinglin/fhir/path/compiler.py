"""FHIRPath text → Python closure.

A closure takes one focus node (a JSON value) and an `Env`, and returns a list that the caller must not change.  Chains of plain
names, `where(name = 'text')` and comparison with a literal are fused, because views consist of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from xinglin.base.errors import DefinitionError
from xinglin.fhir.path import operators, steps
from xinglin.fhir.path.boundary import boundary
from xinglin.fhir.path.elements import DATE_TIME_ELEMENTS
from xinglin.fhir.path.functions import PLAIN_FUNCTIONS, reference_key
from xinglin.fhir.path.iteration import LAMBDA_FUNCTIONS
from xinglin.fhir.path.steps import Closure, Env
from xinglin.fhir.path.syntax import Binary, Call, Constant, Expression, Index, Literal, Member, Sign, Special, TypeTest, parse
from xinglin.fhir.path.tokens import refusal

_TYPE_FUNCTIONS: Final = ("ofType", "as", "is")


def _alternatives(node: Expression) -> list[Expression]:
    if isinstance(node, Binary) and node.operator == "|":
        return [*_alternatives(node.left), *_alternatives(node.right)]
    return [node]


@dataclass(frozen=True, slots=True)
class _Compiler:
    text: str
    constants: Mapping[str, Any]

    def build(self, node: Expression) -> Closure:
        """Return the closure of a node."""
        match node:
            case Literal():
                return steps.always([] if node.value is None else [node.value])
            case Constant():
                return self._constant(node)
            case Special():
                return steps.SPECIALS[node.name]
            case Member():
                return self._member(node)
            case Index():
                return steps.indexed(self.build(node.left), self.build(node.index))
            case Sign():
                return self._guarded(operators.signed(node.sign, self.build(node.operand)), node.position)
            case TypeTest():
                return self._typed(node.left, node.operator, node.type_name)
            case Binary():
                return self._binary(node)
            case Call():
                return self._call(node)

    def refuse(self, position: int, zh: str, en: str) -> DefinitionError:
        """Return a refusal at a position of the text."""
        return refusal(self.text, position, zh, en)

    def _constant(self, node: Constant) -> Closure:
        if node.name in steps.ENVIRONMENT:
            return steps.ENVIRONMENT[node.name]
        if node.name not in self.constants:
            known = ", ".join(f"%{name}" for name in sorted(self.constants)) or "-"
            raise self.refuse(
                node.position, f"没有定义常量 %{node.name}；已定义：{known}", f"%{node.name} is not defined; defined are: {known}"
            )
        return steps.always([self.constants[node.name]])

    def _member(self, node: Member) -> Closure:
        names: list[str] = []
        at: Expression | None = node
        while isinstance(at, Member):
            names.append(at.name)
            at = at.left
        names.reverse()
        if at is None:
            return steps.from_focus(names)
        return steps.chained(self.build(at), names)

    def _binary(self, node: Binary) -> Closure:
        left = self.build(node.left)
        if node.operator in ("=", "!=") and isinstance(node.right, Literal) and operators.is_plain_text(node.right.value):
            return operators.equals_text(left, node.right.value, is_negated=node.operator == "!=")
        return self._guarded(operators.BINARY[node.operator](left, self.build(node.right)), node.position)

    def _call(self, node: Call) -> Closure:
        if node.name in _TYPE_FUNCTIONS:
            return self._typed(node.left, node.name, self._type_argument(node))
        if node.name == "getReferenceKey":
            return self._reference_key(node)
        if node.name in ("lowBoundary", "highBoundary"):
            return self._boundary(node)
        if isinstance(node.left, Binary) and node.left.operator == "|" and not node.arguments and node.name in ("first", "exists"):
            return steps.first_of([self.build(part) for part in _alternatives(node.left)], is_question=node.name == "exists")
        left = steps.focus if node.left is None else self.build(node.left)
        if node.name in LAMBDA_FUNCTIONS:
            least, most, make = LAMBDA_FUNCTIONS[node.name]
            self._count(node, least, most)
            if node.name == "where" and (pair := self._name_equals_text(node.arguments[0])):
                return steps.where_text(left, *pair)
            return self._guarded(make(left, *map(self.build, node.arguments)), node.position)
        if node.name not in PLAIN_FUNCTIONS:
            known = ", ".join(
                sorted([*PLAIN_FUNCTIONS, *LAMBDA_FUNCTIONS, *_TYPE_FUNCTIONS, "getReferenceKey", "lowBoundary", "highBoundary"])
            )
            raise self.refuse(
                node.position, f"没有函数 {node.name}()；可用：{known}", f"there is no function {node.name}(); there are: {known}"
            )
        return self._plain(node, left)

    def _plain(self, node: Call, left: Closure) -> Closure:
        least, most, function = PLAIN_FUNCTIONS[node.name]
        self._count(node, least, most)
        if not node.arguments:
            return self._guarded(lambda this, env: function(left(this, env)), node.position)
        arguments = [self.build(argument) for argument in node.arguments]

        def call(this: Any, env: Env) -> list[Any]:
            return function(left(this, env), *[steps.one(argument(this, env)) for argument in arguments])

        return self._guarded(call, node.position)

    def _name_equals_text(self, criteria: Expression) -> tuple[str, str] | None:
        match criteria:
            case Binary(operator="=", left=Member(left=None, name=name), right=right):
                value = (
                    right.value if isinstance(right, Literal) else self.constants.get(right.name) if isinstance(right, Constant) else None
                )
                return (name, str(value)) if operators.is_plain_text(value) and not name[:1].isupper() else None
        return None

    def _typed(self, left: Expression | None, operator: str, type_name: str) -> Closure:
        if isinstance(left, Member):
            owner = None if left.left is None else self.build(left.left)
            found = steps.of_choice(owner, left.name, type_name)
            present = self.build(left)
        else:
            present = steps.focus if left is None else self.build(left)
            found = steps.of_shape(present, type_name)
        if operator != "is":
            return found
        return lambda this, env: [bool(found(this, env))] if present(this, env) else []

    def _type_argument(self, node: Call) -> str:
        self._count(node, 1, 1)
        name = node.arguments[0]
        if not isinstance(name, Member):
            raise self.refuse(
                node.position, "括号中应为类型名，例如 ofType(Quantity)", "write the name of a type, such as ofType(Quantity)"
            )
        return name.name

    def _reference_key(self, node: Call) -> Closure:
        type_name = self._type_argument(node) if node.arguments else None
        left = steps.focus if node.left is None else self.build(node.left)

        def keys(this: Any, env: Env) -> list[Any]:
            return [key for item in left(this, env) if (key := reference_key(item, type_name)) is not None]

        return keys

    def _boundary(self, node: Call) -> Closure:
        self._count(node, 0, 0)
        left = steps.focus if node.left is None else self.build(node.left)
        type_name = self._static_type(node.left)
        is_high = node.name == "highBoundary"

        def bound(this: Any, env: Env) -> list[Any]:
            return [edge for item in left(this, env) if (edge := boundary(item, type_name, is_high=is_high)) is not None]

        return bound

    def _static_type(self, node: Expression | None) -> str | None:
        match node:
            case Call(name="ofType" | "as", arguments=(Member(name=name),)) | TypeTest(operator="as", type_name=name):
                return name
            case Call(left=left):
                return self._static_type(left)
            case Index(left=left):
                return self._static_type(left)
            case Member(name=name):
                return "dateTime" if name in DATE_TIME_ELEMENTS else None
        return None

    def _count(self, node: Call, least: int, most: int) -> None:
        if not least <= len(node.arguments) <= most:
            wanted = str(least) if least == most else f"{least}-{most}"
            raise self.refuse(node.position, f"{node.name}() 需要 {wanted} 个参数", f"{node.name}() takes {wanted} arguments")

    def _guarded(self, closure: Closure, position: int) -> Closure:
        """Turn the TypeError of a part into a refusal with the position."""

        def guarded(this: Any, env: Env) -> list[Any]:
            try:
                return closure(this, env)
            except TypeError as error:
                raise self.refuse(
                    position,
                    "此处的值类型不符或多于一个；请加 first() 或 ofType()",
                    "the values here are of the wrong kind or more than one; add first() or ofType()",
                ) from error

        return guarded


def compile_expression(text: str, *, constants: Mapping[str, Any] | None = None) -> Callable[[Any, Env], list[Any]]:
    """Return a function (node, env) → list of values for a FHIRPath text.

    constants: the values of %names, as JSON values.  The function raises DefinitionError, with the position, where the values found
    do not suit the expression.  Raises: DefinitionError with the position if the text is not FHIRPath or names what does not exist.

    >>> compile_expression("name.where(use = 'official').given.first()")({"name": [{"use": "official", "given": ["Lan"]}]}, Env({}))
    ['Lan']
    """
    return _Compiler(text, constants or {}).build(parse(text))
