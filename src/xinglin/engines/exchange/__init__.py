"""Exchange: doors in and out, the ledger of messages, the gate, quarantine and replay."""

from xinglin.engines.exchange.blobs import Blobs
from xinglin.engines.exchange.door import Exchange, Rooms
from xinglin.engines.exchange.files import Importer, ImportOptions, files_below
from xinglin.engines.exchange.ledger import Ledger, Source
from xinglin.engines.exchange.model import OWN_API, OWN_PAGES, Entry, EntryProblem, ImportReport, Receipt, State, Submission
from xinglin.engines.exchange.panel import InstitutionRow, MessageQuery, MessageRow, Panel, WaitingRow, open_reasons
from xinglin.engines.exchange.reading import UnreadableError, read_message

__all__ = [
    "Blobs", "Entry", "EntryProblem", "Exchange", "ImportOptions", "ImportReport", "Importer", "InstitutionRow", "Ledger", "MessageQuery", "MessageRow", "OWN_API", "OWN_PAGES", "Panel", "Receipt",
    "Rooms", "Source", "State", "Submission", "UnreadableError", "WaitingRow", "files_below", "open_reasons", "read_message",
]  # fmt: skip
