"""Reads the parameters of a search into terms; whatever is not understood is refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from xinglin.base.errors import IncorrectError, UnsupportedError
from xinglin.base.text import storable
from xinglin.engines.store.model import Query
from xinglin.fhir import SearchParameter, search_parameters

COUNT_DEFAULT: Final = 50
COUNT_LIMIT: Final = 1000
MODIFIERS: Final = {
    "token": ("not", "missing", "of-type"),
    "string": ("exact", "contains", "missing"),
    "reference": ("identifier", "missing"),
    "date": ("missing",),
    "number": ("missing",),
    "quantity": ("missing",),
    "uri": ("missing",),
}
"""Search parameter type → modifiers offered; a reference also takes the name of a type."""
RESULT_PARAMS: Final = ("_sort", "_count", "_total", "_summary", "_include", "_revinclude", "_cursor", "_format", "_pretty")
_SPLIT: Final = re.compile(r"(?<!\\)((?:\\\\)*),")
_VALUES_LIMIT: Final = 500


@dataclass(frozen=True, slots=True)
class Term:
    """One parameter of a query; its values are alternatives, the terms of a query hold together."""

    param: SearchParameter
    modifier: str
    values: tuple[str, ...]

    @property
    def name(self) -> str:
        """Return the parameter with its modifier, as written."""
        return f"{self.param.name}:{self.modifier}" if self.modifier else self.param.name


@dataclass(frozen=True, slots=True)
class SortKey:
    """A parameter to sort by."""

    param: SearchParameter
    descending: bool


@dataclass(frozen=True, slots=True)
class Include:
    """`source:param[:target]` of _include or _revinclude."""

    source: str
    param: str
    target: str | None


@dataclass(frozen=True, slots=True)
class Ask:
    """A whole search.  total: "accurate", "none" or "" (if it costs nothing).  counts_only: _summary=count."""

    rtype: str
    terms: tuple[Term, ...]
    sort: tuple[SortKey, ...]
    count: int
    total: str
    counts_only: bool
    includes: tuple[Include, ...]
    revincludes: tuple[Include, ...]
    cursor: str | None

    @property
    def subject(self) -> str:
        """Return what a cursor of this search is good for."""
        terms = " ".join(f"{term.name}={','.join(term.values)}" for term in self.terms)
        order = ",".join(f"{'-' if key.descending else ''}{key.param.name}" for key in self.sort)
        return f"{self.rtype}?{terms}&{order}"


@dataclass(frozen=True, slots=True)
class Manner:
    """How a query is read.  lenient: unknown parameters are passed over.  hidden: (type, parameter) → may not be asked."""

    lenient: bool = False
    hidden: Callable[[str, str], bool] = lambda _type, _param: False


def read_query(rtype: str, query: Query, manner: Manner) -> Ask:
    """Return the search a list of parameters describes.

    Raises: IncorrectError naming the parameter and what there is instead; UnsupportedError for a type R4 does not have.
    """
    known = {name: param for name, param in search_parameters(rtype).items() if not manner.hidden(rtype, name)}
    terms: list[Term] = []
    results: dict[str, list[str]] = {}
    for name, value in query:
        head = name.partition(":")[0]
        if name in RESULT_PARAMS:
            results.setdefault(head, []).append(value)
        elif (term := _read_term(known, name, value, manner)) is not None:
            terms.append(term)
    return Ask(
        rtype=rtype,
        terms=tuple(terms),
        sort=_read_sort(known, results.get("_sort", ())),
        count=_read_count(results.get("_count", ())),
        total=_one_of("_total", results, ("accurate", "none")),
        counts_only=_one_of("_summary", results, ("count", "false")) == "count" or results.get("_count") == ["0"],
        includes=tuple(_read_include("_include", text, manner) for text in results.get("_include", ())),
        revincludes=tuple(_read_include("_revinclude", text, manner) for text in results.get("_revinclude", ())),
        cursor=next(iter(results.get("_cursor", ())), None),
    )


def unescape(text: str) -> str:
    """Return a value without the backslashes that protect `,` `|` `$` and the backslash."""
    return re.sub(r"\\([,|$\\])", r"\1", text)


def split_bars(text: str) -> list[str]:
    """Return the parts of a value between bars that no backslash protects."""
    return [unescape(part) for part in re.split(r"(?<!\\)\|", text)]


def _read_term(known: dict[str, SearchParameter], name: str, value: str, manner: Manner) -> Term | None:
    head, _, modifier = name.partition(":")
    param = known.get(head)
    if param is None:
        if manner.lenient:
            return None
        raise _unknown(name, known)
    if param.unsupported or param.type not in MODIFIERS:
        raise _not_offered(name, f"不支持按此参数检索：{param.unsupported}", f"cannot be searched: {param.unsupported or param.type}")
    is_type = param.type == "reference" and modifier in param.targets
    if modifier and modifier not in MODIFIERS[param.type] and not is_type:
        offered = [f":{each}" for each in MODIFIERS[param.type]]
        raise _not_offered(name, f"不支持此修饰符，可用：{'、'.join(offered)}", f"no such modifier here; write one of {', '.join(offered)}")
    values = _read_values(name, value)
    if modifier == "missing" and values not in (("true",), ("false",)):
        raise _not_offered(name, "请写 true 或 false", "write true or false")
    return Term(param, modifier, values)


def _read_values(name: str, text: str) -> tuple[str, ...]:
    values = tuple(map(storable, _SPLIT.sub("\\1\x00", text).split("\x00")))
    if not all(values):
        raise _not_offered(name, "请给出检索值", "give it a value")
    if len(values) > _VALUES_LIMIT:
        raise _not_offered(name, f"最多 {_VALUES_LIMIT} 个备选值", f"at most {_VALUES_LIMIT} alternatives; ask in several searches")
    return values


def _read_sort(known: dict[str, SearchParameter], texts: Sequence[str]) -> tuple[SortKey, ...]:
    keys = []
    for name in (part for text in texts for part in text.split(",")):
        param = known.get(name.removeprefix("-"))
        if param is None or param.unsupported or not (param.type in ("date", "string", "number", "quantity") or param.name == "_id"):
            sortable = sorted(
                each for each, found in known.items() if found.type in ("date", "string", "number", "quantity") and not found.unsupported
            )
            raise _not_offered(
                "_sort", f"不能按此排序，可用：{'、'.join(sortable)}、_id", f"cannot sort by that; write one of {', '.join(sortable)}, _id"
            )
        keys.append(SortKey(param, name.startswith("-")))
    return tuple(keys)


def _read_count(texts: Sequence[str]) -> int:
    if not texts:
        return COUNT_DEFAULT
    if not (texts[-1].isascii() and texts[-1].isdigit()):
        raise _not_offered("_count", f"请写 0 到 {COUNT_LIMIT} 的整数", f"write a whole number from 0 to {COUNT_LIMIT}")
    return min(int(texts[-1][:9]), COUNT_LIMIT)


def _one_of(name: str, results: dict[str, list[str]], allowed: tuple[str, ...]) -> str:
    text = results.get(name, [""])[-1]
    if text and text not in allowed:
        raise _not_offered(name, f"可用：{'、'.join(allowed)}", f"write one of {', '.join(allowed)}")
    return text


def _read_include(name: str, text: str, manner: Manner) -> Include:
    source, _, rest = text.partition(":")
    param, _, target = rest.partition(":")
    try:
        known = search_parameters(source).get(param)
    except UnsupportedError:
        known = None
    if known is None or known.type != "reference" or known.unsupported or manner.hidden(source, param):
        raise _not_offered(
            name, "请写成 类型:引用参数，例如 Observation:subject", "write type:reference parameter, such as Observation:subject"
        )
    return Include(source, param, target or None)


def _unknown(name: str, known: dict[str, SearchParameter]) -> IncorrectError:
    if "." in name or name.startswith("_has"):
        return _not_offered(
            name, "不支持链式检索；请先检索被引用的资源", "chained searches are not offered; search the referenced resource first"
        )
    names = sorted(each for each, param in known.items() if not param.unsupported and param.type in MODIFIERS)
    return _not_offered(
        name,
        f"没有这个检索参数；可用：{'、'.join(names)}；结果参数：{'、'.join(RESULT_PARAMS)}",
        f"no such search parameter; write one of {', '.join(names)}; for results {', '.join(RESULT_PARAMS)}",
    )


def _not_offered(name: str, zh: str, en: str) -> IncorrectError:
    return IncorrectError(zh, en, where=name[:100])
