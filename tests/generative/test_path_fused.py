"""Fused paths give what the same path gives written out step by step with select() and full comparisons."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from xinglin.fhir.path import Env, compile_expression

_NAMES = st.sampled_from(["a", "b", "value", "code"])
_KEYS = st.sampled_from(["a", "b", "code", "valueString", "valueCode", "valueQuantity"])
_LEAVES = st.one_of(st.sampled_from(["x", "y", "2020-01"]), st.integers(0, 3), st.booleans(), st.none())
_NODES: st.SearchStrategy[Any] = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.dictionaries(_KEYS, inner, max_size=4), st.lists(inner.filter(lambda v: not isinstance(v, list)), max_size=3)
    ),
    max_leaves=12,
)


def _plain(names: list[str], condition: tuple[int, str, str] | None) -> str:
    steps = []
    for at, name in enumerate(names):
        steps.append(f"select({name})" if at else f"select($this.select({name}))")
        if condition and condition[0] == at:
            steps.append(f"where(({condition[1]} | {{}}) = ('{condition[2]}' | {{}}))")
    return "$this." + ".".join(steps)


def _fused(names: list[str], condition: tuple[int, str, str] | None) -> str:
    steps = []
    for at, name in enumerate(names):
        steps.append(name)
        if condition and condition[0] == at:
            steps.append(f"where({condition[1]} = '{condition[2]}')")
    return ".".join(steps)


@given(
    node=st.dictionaries(_KEYS, _NODES, max_size=4),
    names=st.lists(_NAMES, min_size=1, max_size=4),
    condition=st.none() | st.tuples(st.integers(0, 3), _NAMES, st.sampled_from(["x", "y"])),
)
@settings(max_examples=400, deadline=None)
def test_fused_is_plain(node: dict[str, Any], names: list[str], condition: tuple[int, str, str] | None) -> None:
    fast, plain = compile_expression(_fused(names, condition)), compile_expression(_plain(names, condition))
    assert fast(node, Env(node)) == plain(node, Env(node))
    first = compile_expression(f"({_fused(names, condition)} | b | a).first()")
    slow = compile_expression(f"({_plain(names, condition)} | b | a).take(1)")
    assert first(node, Env(node)) == slow(node, Env(node))
