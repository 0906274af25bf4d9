"""A synthetic district of any size: `generate(Plan(...), folder) -> Manifest`, `calibrate(folder) -> Report`."""

from xinglin.synthetic.calibration import Report, Row, calibrate
from xinglin.synthetic.district import Manifest, generate
from xinglin.synthetic.plan import Plan

__all__ = ["Manifest", "Plan", "Report", "Row", "calibrate", "generate"]
