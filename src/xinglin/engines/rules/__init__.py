"""Rules: programmes, measures, schedules and calculators, for one person or for everyone, and why."""

from xinglin.definitions import reference
from xinglin.engines.rules.closures import Closures, Frame

__all__ = ["Closures", "Frame", "reference"]
