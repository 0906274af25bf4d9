"""A synthetic district of any size: `generate(Plan(...), folder) -> Manifest`, `advance(plan, days, folder)`, `calibrate(folder) -> Report`."""

from xinglin.synthetic.calibration import Report, Row, calibrate
from xinglin.synthetic.continuation import Continuation, advance, plan_of
from xinglin.synthetic.district import Manifest, generate
from xinglin.synthetic.plan import Plan
from xinglin.synthetic.samples import ROSTER_DAYS

__all__ = ["Continuation", "Manifest", "Plan", "ROSTER_DAYS", "Report", "Row", "advance", "calibrate", "generate", "plan_of"]
