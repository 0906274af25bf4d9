"""The record: versioned FHIR resources with one write path and one ordered change feed. The door of store."""

from xinglin.engines.store.erase import Erased, Traces, drop_history, erase_patients, find_traces, patients_of
from xinglin.engines.store.group import GroupLedger, GroupWriter
from xinglin.engines.store.model import (
    Belonging,
    Cause,
    Change,
    Cursor,
    Delete,
    FeedEntry,
    Key,
    Link,
    Outcome,
    Page,
    Put,
    Query,
    Stored,
)
from xinglin.engines.store.packing import PackedReady, pack
from xinglin.engines.store.query import COUNT_DEFAULT, COUNT_LIMIT, MODIFIERS, RESULT_PARAMS
from xinglin.engines.store.read import HistoryQuery
from xinglin.engines.store.store import Store, StoreOptions
from xinglin.engines.store.values import PREFIXES
from xinglin.engines.store.write import Ready

__all__ = [
    "COUNT_DEFAULT",
    "COUNT_LIMIT",
    "MODIFIERS",
    "PREFIXES",
    "RESULT_PARAMS",
    "Belonging",
    "Cause",
    "Change",
    "Cursor",
    "Delete",
    "Erased",
    "FeedEntry",
    "GroupLedger",
    "GroupWriter",
    "HistoryQuery",
    "Key",
    "Link",
    "Outcome",
    "PackedReady",
    "Page",
    "Put",
    "Query",
    "Ready",
    "Store",
    "StoreOptions",
    "Stored",
    "Traces",
    "drop_history",
    "erase_patients",
    "find_traces",
    "pack",
    "patients_of",
]
