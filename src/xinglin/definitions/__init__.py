"""Definitions: what a business module declares. Data in a small typed algebra, read from TOML, checked when loaded.

`load(paths)` returns a `Catalogue`; `catalogue.edition(day)` what is in force on that day. `reference(node, question)` says what a node
means, plainly and slowly; the fast interpreters (engine rules) are proved equal to it.
"""

from xinglin.definitions.answers import Answers, FormContext, Parsed, Problem, carry_over, computed, derived, parse_answers
from xinglin.definitions.forms import Choice, Form, Item, load_forms
from xinglin.definitions.lake_columns import LAKE, Kind
from xinglin.definitions.load import Catalogue, Edition, load
from xinglin.definitions.model import Advice, Definition, Exclusion, Words
from xinglin.definitions.nodes import Node, Value
from xinglin.definitions.pages import reference_pages
from xinglin.definitions.reads import Reads
from xinglin.definitions.reference import Question, reference
from xinglin.definitions.shipped import definition_folders, shipped_catalogue, shipped_forms
from xinglin.definitions.words import say, shown

__all__ = [
    "LAKE",
    "Advice",
    "Answers",
    "Catalogue",
    "Choice",
    "Definition",
    "Edition",
    "Exclusion",
    "Form",
    "FormContext",
    "Item",
    "Kind",
    "Node",
    "Parsed",
    "Problem",
    "Question",
    "Reads",
    "Value",
    "Words",
    "carry_over",
    "computed",
    "derived",
    "load",
    "load_forms",
    "definition_folders",
    "parse_answers",
    "reference",
    "reference_pages",
    "shipped_catalogue",
    "shipped_forms",
    "say",
    "shown",
]
