"""Code systems, value sets and maps between them: the door of terminology."""

from xinglin.engines.terminology.maps import ConceptMaps
from xinglin.engines.terminology.model import EQUIVALENCES, USABLE, CodeSystem, Concept, Equivalence, Mapping, NewMapping, Validation
from xinglin.engines.terminology.oracle import ValueSets
from xinglin.engines.terminology.reading import read_code_system, read_concept_csv, read_mapping_csv
from xinglin.engines.terminology.terminology import Terminology, ValueSetMember

__all__ = [
    "EQUIVALENCES",
    "USABLE",
    "CodeSystem",
    "Concept",
    "ConceptMaps",
    "Equivalence",
    "Mapping",
    "NewMapping",
    "Terminology",
    "Validation",
    "ValueSetMember",
    "ValueSets",
    "read_code_system",
    "read_concept_csv",
    "read_mapping_csv",
]
