"""The record as columns: views over the feed, append-only tables, one snapshot, SQL.  See README.md."""

from xinglin.engines.lake.rows import Extraction, Fact, Problem, Resolver, Views, extract, load_views, rows_of
from xinglin.engines.lake.view import Column, View, compile_view

__all__ = ["Column", "Extraction", "Fact", "Problem", "Resolver", "View", "Views", "compile_view", "extract", "load_views", "rows_of"]
