"""A synthetic district of any size: `generate(Plan(...), folder) -> Manifest`, `advance(plan, days, folder)`, `calibrate(folder) -> Report`."""

from xinglin.synthetic.calibration import Report, Row, calibrate
from xinglin.synthetic.continuation import Continuation, advance, plan_of
from xinglin.synthetic.district import Manifest, generate
from xinglin.synthetic.plan import Plan

__all__ = ["Continuation", "Manifest", "Plan", "Report", "Row", "advance", "calibrate", "generate", "plan_of"]
