"""Code systems, value sets and maps between them: the door of terminology."""

from xinglin.engines.terminology.files import TEMPLATES, Changes, CodeFile, CodeFiles, NewFile
from xinglin.engines.terminology.maps import ConceptMaps, MapRow
from xinglin.engines.terminology.model import EQUIVALENCES, USABLE, CodeSystem, Concept, Equivalence, Mapping, NewMapping, Validation
from xinglin.engines.terminology.oracle import ValueSets
from xinglin.engines.terminology.reading import read_code_system, read_concept_csv, read_mapping_csv
from xinglin.engines.terminology.terminology import SystemRow, Terminology, ValueSetMember

__all__ = [
    "EQUIVALENCES",
    "TEMPLATES",
    "USABLE",
    "Changes",
    "CodeFile",
    "CodeFiles",
    "CodeSystem",
    "Concept",
    "ConceptMaps",
    "Equivalence",
    "MapRow",
    "Mapping",
    "NewFile",
    "NewMapping",
    "SystemRow",
    "Terminology",
    "Validation",
    "ValueSetMember",
    "ValueSets",
    "read_code_system",
    "read_concept_csv",
    "read_mapping_csv",
]
