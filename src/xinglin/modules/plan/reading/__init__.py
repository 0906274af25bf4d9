"""The reader of plan documents: `read_document` turns a file into a `Reading`."""

from xinglin.modules.plan.reading.as_json import PRINTED_KEYS, indicator_data, printed_data, reading_data
from xinglin.modules.plan.reading.compare import Difference, compare_readings
from xinglin.modules.plan.reading.corrections import ACCEPT, ADD, CHANGE, CHANGEABLE, REMOVE, Correction, apply_corrections
from xinglin.modules.plan.reading.model import (
    Base,
    Box,
    Coverage,
    Finding,
    Footnote,
    Indicator,
    NumberUse,
    OtherValue,
    PlanPart,
    Project,
    Reading,
    Task,
    TextFact,
)
from xinglin.modules.plan.reading.read import read_document

__all__ = [
    "ACCEPT",
    "ADD",
    "PRINTED_KEYS",
    "CHANGE",
    "CHANGEABLE",
    "REMOVE",
    "Correction",
    "Difference",
    "TextFact",
    "apply_corrections",
    "compare_readings",
    "Base",
    "Box",
    "Coverage",
    "Finding",
    "Footnote",
    "Indicator",
    "NumberUse",
    "OtherValue",
    "PlanPart",
    "Project",
    "Reading",
    "Task",
    "indicator_data",
    "printed_data",
    "read_document",
    "reading_data",
]
