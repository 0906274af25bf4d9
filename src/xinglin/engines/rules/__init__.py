"""Rules: programmes, measures, schedules and calculators, for one person or for everyone, and why.  See README.md."""

from xinglin.definitions import reference
from xinglin.engines.rules.authenticity import CHECKS, Check, Finding
from xinglin.engines.rules.closures import Closures, Frame
from xinglin.engines.rules.deltas import Change
from xinglin.engines.rules.explain import Explanation, Sentence, explain
from xinglin.engines.rules.following import READER, FollowOptions, ResultFollower
from xinglin.engines.rules.forgetting import forget_person
from xinglin.engines.rules.intervals import wilson
from xinglin.engines.rules.measure_answers import Focus, GroupBy, Judgement, MeasureRow, MeasureTable, Member, MemberPage, MemberQuery, Part
from xinglin.engines.rules.ports import Columns, KeptRows, Record, StoreRecord
from xinglin.engines.rules.remote import Figure, RemoteMeasures
from xinglin.engines.rules.results import Drift, Result, ResultGround
from xinglin.engines.rules.rules import Rules, calculate
from xinglin.engines.rules.service import KINDS, MeasureGround, MeasureService, month_ends
from xinglin.engines.rules.targets import PROGRAMMES, Target, TargetLine, Targets, load_targets, read_line, read_targets_csv
from xinglin.engines.rules.texts import SqlTexts, compile_sql
from xinglin.engines.rules.verification import MOST_SAMPLED, RESULTS, STATES, Drawing, FindingQuery, Verification, Visit, draw
from xinglin.engines.rules.where import Where, where
from xinglin.engines.rules.worklists import Duty, WorklistQuery, Worklists
from xinglin.engines.rules.workload import WORK_KINDS, WorkEntry, WorkQuery, WorkRow, WorkTable

__all__ = [
    "CHECKS",
    "Change",
    "Check",
    "Closures",
    "Columns",
    "Drawing",
    "Drift",
    "Duty",
    "Explanation",
    "Figure",
    "Finding",
    "FindingQuery",
    "Focus",
    "FollowOptions",
    "Frame",
    "GroupBy",
    "Judgement",
    "KINDS",
    "MOST_SAMPLED",
    "MeasureGround",
    "MeasureRow",
    "MeasureService",
    "MeasureTable",
    "Member",
    "MemberPage",
    "MemberQuery",
    "PROGRAMMES",
    "Part",
    "READER",
    "RESULTS",
    "Record",
    "RemoteMeasures",
    "Result",
    "ResultFollower",
    "ResultGround",
    "Rules",
    "STATES",
    "Sentence",
    "SqlTexts",
    "StoreRecord",
    "KeptRows",
    "Target",
    "TargetLine",
    "Targets",
    "Verification",
    "Visit",
    "Where",
    "WORK_KINDS",
    "WorkEntry",
    "WorkQuery",
    "WorkRow",
    "WorkTable",
    "WorklistQuery",
    "Worklists",
    "calculate",
    "compile_sql",
    "draw",
    "explain",
    "forget_person",
    "load_targets",
    "month_ends",
    "read_line",
    "read_targets_csv",
    "reference",
    "where",
    "wilson",
]
