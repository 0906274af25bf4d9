"""The days after a district's day of data: `advance(plan, (since, until), folder) -> Continuation`."""

from xinglin.synthetic.continuation.district import Continuation, advance, plan_of

__all__ = ["Continuation", "advance", "plan_of"]
