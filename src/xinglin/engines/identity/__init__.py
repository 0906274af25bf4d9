"""Identity: which person a source record belongs to, and who works where. Links stand beside the record and never rewrite it."""

from xinglin.engines.identity.browsing import Browse, Residence, next_record_number
from xinglin.engines.identity.forgetting import Known, forget_patients, known_numbers
from xinglin.engines.identity.keys import DIVISION, ID_NUMBER, RECORD_NUMBER, extension_value
from xinglin.engines.identity.numbers import IdNumberFacts, check_digit, checked_id_number, read_id_number
from xinglin.engines.identity.register import INSTITUTION_CODE, PRACTITIONER_CODE, Institution, Practitioner, Register, code_of
from xinglin.engines.identity.residents import Arrival, LinkPlan, PersonCard, Residents, Trust
from xinglin.engines.identity.review_queue import COMPARED, DECISIONS, Review, ReviewQueue, Ruling, SourceRecord, Unplaced, review_reasons

__all__ = [
    "Arrival", "Browse", "COMPARED", "DECISIONS", "DIVISION", "ID_NUMBER", "INSTITUTION_CODE", "IdNumberFacts", "Institution", "Known",
    "LinkPlan", "PRACTITIONER_CODE", "PersonCard", "Practitioner", "RECORD_NUMBER", "Register", "Residence", "Residents", "Review",
    "ReviewQueue", "Ruling", "SourceRecord", "Trust", "Unplaced", "check_digit", "checked_id_number", "code_of", "extension_value", "forget_patients",
    "known_numbers",
    "next_record_number", "read_id_number", "review_reasons",
]  # fmt: skip
