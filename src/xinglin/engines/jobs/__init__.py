"""Work the engine process does by itself, and the rows that tell about it.  See README.md."""

from xinglin.engines.jobs.daily import Daily, DailyJob, DailyOptions
from xinglin.engines.jobs.runs import Run, RunQuery, Runs

__all__ = ["Daily", "DailyJob", "DailyOptions", "Run", "RunQuery", "Runs"]
