"""Exchange: doors in and out, the ledger of messages, the gate, quarantine and replay."""

from xinglin.engines.exchange.beside import Beside, prepare_for
from xinglin.engines.exchange.blobs import Blobs
from xinglin.engines.exchange.door import Exchange, Rooms
from xinglin.engines.exchange.erasing import Gone, LedgerEraser
from xinglin.engines.exchange.files import Importer, ImportOptions, files_below
from xinglin.engines.exchange.jobs import Job, Jobs, NewJob, Report
from xinglin.engines.exchange.ledger import Envelope, Ledger, Source
from xinglin.engines.exchange.model import OWN_API, OWN_PAGES, Entry, EntryProblem, ImportReport, Receipt, State, Submission
from xinglin.engines.exchange.noting import Note
from xinglin.engines.exchange.panel import InstitutionRow, MessageQuery, MessageRow, Panel, SourceRow, WaitingRow, WrittenRow, open_reasons
from xinglin.engines.exchange.reading import UnreadableError, check_text, place_in, read_message
from xinglin.engines.exchange.upper import (
    Batch,
    Difference,
    Period,
    Reconciled,
    SheetColumn,
    SheetMapping,
    Standing,
    Upper,
    UpperRooms,
    UpperState,
)

__all__ = [
    "Batch", "Beside", "Blobs", "Difference", "Entry", "EntryProblem", "Envelope", "Exchange", "Gone", "ImportOptions", "ImportReport", "Importer", "InstitutionRow", "Job", "Jobs",
    "Ledger", "LedgerEraser", "MessageQuery", "MessageRow", "NewJob", "Note", "OWN_API", "OWN_PAGES", "Panel", "Period", "Receipt", "Reconciled", "Report", "Rooms", "SheetColumn",
    "SheetMapping", "Source", "SourceRow", "Standing", "State", "Submission", "UnreadableError", "Upper", "UpperRooms", "UpperState", "WaitingRow", "WrittenRow", "check_text", "files_below",
    "open_reasons", "place_in", "prepare_for", "read_message",
]  # fmt: skip
