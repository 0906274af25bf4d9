"""A synthetic district of any size: `generate(Plan(...), folder) -> Manifest`, `calibrate(folder) -> Report`."""

from xinglin.synthetic.district import Manifest, generate
from xinglin.synthetic.plan import Plan

__all__ = ["Manifest", "Plan", "generate"]
