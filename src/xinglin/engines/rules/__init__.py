"""Rules: programmes, measures, schedules and calculators, for one person or for everyone, and why.  See README.md."""

from xinglin.definitions import reference
from xinglin.engines.rules.closures import Closures, Frame
from xinglin.engines.rules.explain import Explanation, Sentence, explain
from xinglin.engines.rules.following import FollowOptions, ResultFollower
from xinglin.engines.rules.intervals import wilson
from xinglin.engines.rules.measures import Focus, GroupBy, MeasureRow, MeasureTable, Member, MemberPage, MemberQuery, Part
from xinglin.engines.rules.ports import Columns, Record, StoreRecord
from xinglin.engines.rules.results import Drift, Result, ResultGround
from xinglin.engines.rules.rules import Rules, calculate
from xinglin.engines.rules.service import RemoteMeasures, measure_handlers
from xinglin.engines.rules.setwise import compile_sql
from xinglin.engines.rules.texts import SqlTexts
from xinglin.engines.rules.where import Where, where
from xinglin.engines.rules.worklists import Duty, WorklistQuery, Worklists

__all__ = [
    "Closures",
    "Columns",
    "Drift",
    "Duty",
    "Explanation",
    "Focus",
    "FollowOptions",
    "Frame",
    "GroupBy",
    "MeasureRow",
    "MeasureTable",
    "Member",
    "MemberPage",
    "MemberQuery",
    "Part",
    "Record",
    "RemoteMeasures",
    "Result",
    "ResultFollower",
    "ResultGround",
    "Rules",
    "Sentence",
    "SqlTexts",
    "StoreRecord",
    "Where",
    "WorklistQuery",
    "Worklists",
    "calculate",
    "compile_sql",
    "explain",
    "measure_handlers",
    "reference",
    "where",
    "wilson",
]
