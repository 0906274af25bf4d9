"""The record as columns: views over the feed, append-only tables, one snapshot, SQL.  See README.md."""

from xinglin.engines.lake.feed import Entry, FeedSource
from xinglin.engines.lake.lake import WRITER_LOCK, Lake, LakeOptions
from xinglin.engines.lake.reader import Reader, ReaderOptions
from xinglin.engines.lake.rows import Extraction, Fact, Problem, Resolver, Views, extract, load_views, narrow_views, rows_of
from xinglin.engines.lake.service import Freshness, LakeService
from xinglin.engines.lake.snapshot import Snapshot, TableFiles
from xinglin.engines.lake.store_feed import StoreFeed, fact_of
from xinglin.engines.lake.view import Column, View, compile_view

__all__ = [
    "Column",
    "Entry",
    "Extraction",
    "Fact",
    "FeedSource",
    "Freshness",
    "Lake",
    "LakeOptions",
    "LakeService",
    "Problem",
    "Reader",
    "ReaderOptions",
    "Resolver",
    "Snapshot",
    "StoreFeed",
    "TableFiles",
    "View",
    "Views",
    "compile_view",
    "extract",
    "fact_of",
    "load_views",
    "narrow_views",
    "rows_of",
    "WRITER_LOCK",
]
