"""Definitions: what a business module declares. Data in a small typed algebra, read from TOML, checked when loaded.

`load(paths)` returns a `Catalogue`; `catalogue.edition(day)` what is in force on that day. `reference(node, question)` says what a node
means, plainly and slowly; the fast interpreters (engine rules) are proved equal to it.
"""

from xinglin.definitions.lake_columns import LAKE, Kind
from xinglin.definitions.load import Catalogue, Edition, load
from xinglin.definitions.model import Advice, Definition, Exclusion, Words
from xinglin.definitions.nodes import Node, Value
from xinglin.definitions.reference import Question, reference

__all__ = [
    "LAKE",
    "Advice",
    "Catalogue",
    "Definition",
    "Edition",
    "Exclusion",
    "Kind",
    "Node",
    "Question",
    "Value",
    "Words",
    "load",
    "reference",
]
