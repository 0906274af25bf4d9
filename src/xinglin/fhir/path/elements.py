"""What a JSON body does not say: which R4 elements may have several types, and which hold a date with time.

Source: HL7 FHIR R4 (4.0.1), StructureDefinitions of resources and data types: every element named `name[x]`; every element
whose only types are dateTime and instant.
"""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


CHOICE_ELEMENTS: Final = _words(
    """abatement additive age allowed amount answer asNeeded author born bounds characteristic chargeItem code collected content created
    date deceased defaultValue definingSubstance definition detail diagnosis dose doseNumber due duration effective entity event example
    fastingStatus fixed identified indication instances item legallyBinding location manufacturer maxValue medication minValue minimumVolume
    module multipleBirth name occurred occurrence offset onset participantEffective pattern performed probability procedure product quantity
    rate reported scheduled seriesDoses serviced source start statusReason studyEffective subject substance target time timing topic used
    value when"""
)
DATE_TIME_ELEMENTS: Final = _words(
    """authored authoredOn creation dateAsserted dateOfFirstAuthorization dateTime dateWritten detected effectiveDate effectiveTime end
    enteredDate expiry ifModifiedSince internationalBirthDate issued lastModified lastOccurrence lastPerformed lastUpdated manufactureDate
    presentationDate publicationDate received receivedTime recorded recordedDate recordedOn releaseDate restoreDate sent start started time
    timestamp validTo validationDate verificationDate whenHandedOver whenPrepared"""
)
STRING_TYPES: Final = _words("base64Binary canonical code date dateTime id instant markdown oid string time uri url uuid xhtml")
PRIMITIVE_TYPES: Final = STRING_TYPES | _words("boolean decimal integer positiveInt unsignedInt")
COMPLEX_TYPES: Final = _words(
    """Address Age Annotation Attachment CodeableConcept Coding ContactDetail ContactPoint Contributor Count DataRequirement Distance
    Dosage Duration Expression Extension HumanName Identifier Meta Money ParameterDefinition Period Quantity Range Ratio Reference
    RelatedArtifact SampledData Signature Timing TriggerDefinition UsageContext"""
)
_SUFFIXES: Final = {name[0].upper() + name[1:]: name for name in PRIMITIVE_TYPES | COMPLEX_TYPES}


def choice_key(name: str, type_name: str) -> str:
    """Return the JSON key of a choice element with a type.

    >>> choice_key("value", "dateTime")
    'valueDateTime'
    """
    return name + type_name[0].upper() + type_name[1:]


def choice_value(node: dict[str, object], name: str) -> object:
    """Return what a choice element holds, whichever of its types was used, or None."""
    start = len(name)
    for key, value in node.items():
        if key.startswith(name) and key[start:] in _SUFFIXES:
            return value
    return None


def has_shape_of(value: object, type_name: str) -> bool:
    """Say whether a JSON value can be of an R4 type; text passes for every type written as text."""
    if isinstance(value, dict):
        kind = value.get("resourceType")
        return kind == type_name if kind is not None else type_name in COMPLEX_TYPES
    if isinstance(value, bool):
        return type_name in ("boolean", "Boolean")
    if isinstance(value, int):
        return type_name in ("integer", "positiveInt", "unsignedInt", "decimal", "Integer", "Decimal")
    if isinstance(value, str):
        return type_name in STRING_TYPES or type_name == "String"
    return type_name in ("decimal", "Decimal")
