"""The exchange with the upper-level platform by Excel: mapped columns out and in, states, reconciliation."""

from xinglin.engines.exchange.upper.model import Batch, Difference, Reconciled, SheetColumn, SheetMapping, Standing, UpperState
from xinglin.engines.exchange.upper.upper import Period, Upper, UpperRooms

__all__ = ["Batch", "Difference", "Period", "Reconciled", "SheetColumn", "SheetMapping", "Standing", "Upper", "UpperRooms", "UpperState"]
