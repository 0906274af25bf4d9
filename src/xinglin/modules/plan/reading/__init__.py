"""The reader of plan documents: `read_document` turns a file into a `Reading`."""

from xinglin.modules.plan.reading.as_json import indicator_data, reading_data
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
)
from xinglin.modules.plan.reading.read import read_document

__all__ = [
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
    "read_document",
    "reading_data",
]
