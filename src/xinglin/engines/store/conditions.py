"""Terms of a query → SQL on the index columns and index tables alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Final

from xinglin.base.errors import IncorrectError
from xinglin.engines.store.findings import STRING_LIMIT
from xinglin.engines.store.index import PATIENT_PARAMS, SEVERAL_PATIENTS, UNIONS, main_date_parameter
from xinglin.engines.store.query import Term, split_bars, unescape
from xinglin.engines.store.tokens import Tokens
from xinglin.engines.store.values import date_sql, number_sql, read_date, read_number
from xinglin.fhir import RESOURCE_TYPES, folded

SOURCE: Final = "urn:xinglin:message:"
_STAMP_LOW: Final = "(extract(epoch from r.ts) * 1000000)::bigint"


@dataclass(frozen=True, slots=True)
class Condition:
    """SQL on the alias `r`.

    sql: as an index can answer it; plain: the same, kept from the index, for a plan that walks another.  tokens: any of which a row must
    carry, for the estimate.  is_narrow: answered by few rows whatever the table.
    """

    sql: str
    plain: str
    tokens: tuple[int, ...] = ()
    is_narrow: bool = False


@dataclass(frozen=True, slots=True)
class Clusters:
    """Patient id as asked → (rids, ids) of every source patient of the same person."""

    rids: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    ids: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Standing:
    """What a search stands on: hashes, the district's zone, now (microseconds since 1970), clusters of the patients asked for."""

    tokens: Tokens
    zone: tzinfo
    now_us: int
    clusters: Clusters


class Compiler:
    """Compiles the terms of one search of one type; `arguments` fill `$1`, `$2`... of everything it made."""

    def __init__(self, rtype: str, ground: Standing) -> None:
        self.rtype = rtype
        self.arguments: list[Any] = []
        self._ground = ground

    def add(self, value: object) -> str:
        """Take an argument and return its placeholder."""
        self.arguments.append(value)
        return f"${len(self.arguments)}"

    def condition(self, term: Term) -> Condition:
        """Return the condition of a term.  Raises: IncorrectError for a value that cannot be read."""
        try:
            return self._condition(term)
        except IncorrectError as error:
            raise IncorrectError(error.zh, error.en, where=error.where or term.name) from error

    def _condition(self, term: Term) -> Condition:
        if term.param.name in ("_id", "_lastUpdated", "_source"):
            return self._own_column(term)
        if term.modifier == "missing":
            return self._missing(term)
        match term.param.type:
            case "token":
                return self._token(term)
            case "reference":
                return self._reference(term)
            case "uri":
                return self._tokens([self._ground.tokens.uri(self.rtype, term.param.name, unescape(value)) for value in term.values])
            case "string":
                return self._string(term)
            case "date":
                return self._date(term)
        return self._number(term)

    def _own_column(self, term: Term) -> Condition:
        if term.modifier == "missing":
            return _same("true" if term.values == ("false",) else "false")
        if term.modifier:
            raise IncorrectError("此参数没有修饰符", "this parameter takes no modifier")
        if term.param.name == "_id":
            ids = self.add([unescape(value) for value in term.values])
            sql = f"r.rid = any(array(select i.rid from ident i where i.rtype = '{self.rtype}' and i.id = any({ids}::text[])))"
            return Condition(sql, sql, is_narrow=True)
        if term.param.name == "_source":
            numbers = [value.removeprefix(SOURCE) for value in map(unescape, term.values) if value.startswith(SOURCE)]
            known = self.add([int(number) for number in numbers if number.isascii() and number.isdigit() and len(number) < 19])
            return _same(f"r.message_no = any({known}::bigint[])")
        return _same(_any(date_sql(self._date_value(value), _STAMP_LOW, f"{_STAMP_LOW} + 1000") for value in term.values))

    def _tokens(self, tokens: Iterable[int], *, negated: bool = False) -> Condition:
        wanted = tuple(dict.fromkeys(tokens))
        place = f"{self.add(list(wanted))}::bigint[]"
        if negated:
            return _same(f"not (r.tok && {place})")
        return Condition(f"r.tok && {place}", f"(r.tok && {place}) is true", wanted)

    def _names(self, term: Term) -> tuple[str, ...]:
        return UNIONS.get(term.param.name, (term.param.name,))

    def _missing(self, term: Term) -> Condition:
        present = [self._ground.tokens.present(self.rtype, name) for name in self._names(term)]
        return self._tokens(present, negated=term.values == ("true",))

    def _token(self, term: Term) -> Condition:
        if term.modifier == "of-type":
            return self._tokens(self._of_type(term.param.name, value) for value in term.values)
        tokens = [self._coded(name, value) for name in self._names(term) for value in term.values]
        return self._tokens(tokens, negated=term.modifier == "not")

    def _coded(self, name: str, value: str) -> int:
        tokens = self._ground.tokens
        match split_bars(value):
            case [code]:
                return tokens.code(self.rtype, name, code)
            case [system, ""] if system:
                return tokens.system(self.rtype, name, system)
            case [system, code] if code:
                return tokens.coded(self.rtype, name, system, code)
        raise IncorrectError("请写成 代码、系统|代码、|代码 或 系统|", "write code, system|code, |code or system|")

    def _of_type(self, name: str, value: str) -> int:
        match split_bars(value):
            case [system, code, number] if code and number:
                return self._ground.tokens.coded(self.rtype, f"{name}:of-type", system, f"{code}|{number}")
        raise IncorrectError("请写成 类型系统|类型代码|号码", "write type system|type code|value")

    def _reference(self, term: Term) -> Condition:
        name = term.param.name
        if term.modifier == "identifier":
            return self._tokens(self._coded(f"{name}:identifier", value) for value in term.values)
        patients: set[int] = set()
        tokens: list[int] = []
        for value in map(unescape, term.values):
            for target in reference_targets(term, value):
                kind, _, own = target.partition("/")
                if name not in PATIENT_PARAMS or kind != "Patient" or ":" in target:
                    tokens.append(self._ground.tokens.reference(self.rtype, name, target))
                elif self.rtype in SEVERAL_PATIENTS:
                    same = self._ground.clusters.ids.get(own, (own,))
                    tokens += [self._ground.tokens.reference(self.rtype, name, f"Patient/{each}") for each in same]
                else:
                    patients.update(self._ground.clusters.rids.get(own, ()))
        if name in PATIENT_PARAMS and self.rtype not in SEVERAL_PATIENTS:
            return self._about(patients, tokens)
        return self._tokens(tokens)

    def _about(self, patients: set[int], tokens: list[int]) -> Condition:
        here = f"r.pat = any({self.add(sorted(patients))}::bigint[])"
        if not tokens:
            return Condition(here, here, is_narrow=True)
        either = f"({here} or {self._tokens(tokens).sql})"
        return Condition(either, f"{either} is true", is_narrow=True)

    def _string(self, term: Term) -> Condition:
        if term.modifier == "exact":
            return self._tokens(self._ground.tokens.exact(self.rtype, term.param.name, unescape(value)) for value in term.values)
        parts = []
        for value in map(unescape, term.values):
            text = folded(value)[:STRING_LIMIT]
            if not text:
                raise IncorrectError("请给出检索文字", "give it some text")
            if term.modifier == "contains":
                parts.append(f"position({self.add(text)}::text in x.value) > 0")
            else:
                parts.append(f"(x.value >= {self.add(text)}::text and x.value < {self.add(_after(text))}::text)")
        return self._among("idx_string", (term.param.name,), _any(parts))

    def _among(self, table: str, names: tuple[str, ...], condition: str) -> Condition:
        params = self.add([f"{self.rtype}.{name}" for name in names])
        inner = f"from {table} x where x.param = any({params}::text[]) and {condition}"
        return Condition(f"r.rid in (select x.rid {inner})", f"exists (select 1 {inner} and x.rid = r.rid)")

    def _date_value(self, text: str) -> Any:
        return read_date(unescape(text), self._ground.zone, self._ground.now_us)

    def _date(self, term: Term) -> Condition:
        values = [self._date_value(value) for value in term.values]
        if term.param.name != main_date_parameter(self.rtype):
            return self._among("idx_date", (term.param.name,), _any(date_sql(value, "x.low", "x.high") for value in values))
        return _same(f"(r.dt_end is not null and {_any(date_sql(value, 'r.dt', 'r.dt_end') for value in values)})")

    def _number(self, term: Term) -> Condition:
        parts = []
        for text in term.values:
            match split_bars(text):
                case [number]:
                    unit = ""
                case [number, "", code] if code and term.param.type == "quantity":
                    unit = f" and x.unit_code = {self._ground.tokens.unit_code(code)}"
                case [number, system, code] if code and term.param.type == "quantity":
                    unit = f" and x.unit = {self._ground.tokens.unit(system, code)}"
                case _:
                    raise IncorrectError("请写成 数值 或 数值|单位系统|单位代码", "write a number, or number|unit system|unit code")
            parts.append(f"({number_sql(read_number(number), 'x.low', 'x.high')}{unit})")
        return self._among("idx_number", self._names(term), _any(parts))


def reference_targets(term: Term, value: str) -> list[str]:
    """Return what a reference value may stand for: `Type/id`, an absolute address or a urn; a bare id for every type the parameter takes."""
    if ":" in value:
        return [value.partition("/_history/")[0]]
    kind, bar, own = value.partition("/")
    if bar:
        if kind not in RESOURCE_TYPES or not own or (term.modifier and term.modifier != kind):
            raise IncorrectError("请写成 类型/id，例如 Patient/123", "write type/id such as Patient/123")
        return [f"{kind}/{own.partition('/')[0]}"]
    kinds = (term.modifier,) if term.modifier else tuple(term.param.targets)
    if term.param.name == "patient":
        kinds = ("Patient",)
    if not kinds or "Resource" in kinds:
        raise IncorrectError("请写成 类型/id，例如 Patient/123", "write type/id such as Patient/123")
    return [f"{each}/{value}" for each in kinds]


def _after(text: str) -> str:
    """Return the least text that is greater than every text beginning with this one, in the order of code points."""
    for place in range(len(text) - 1, -1, -1):
        code = ord(text[place])
        if code < 0x10FFFF:
            following = 0xE000 if code == 0xD7FF else code + 1
            return text[:place] + chr(following)
    return text + "\U0010ffff" * STRING_LIMIT


def _any(parts: Iterable[str]) -> str:
    return f"({' or '.join(parts)})"


def _same(sql: str) -> Condition:
    return Condition(sql, sql)
