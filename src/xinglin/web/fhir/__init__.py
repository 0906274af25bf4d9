"""FHIR R4 over HTTP: a thin skin over store and exchange."""

from xinglin.web.fhir.api import FhirDoors, FhirLimits, fhir_routes, make_fhir, offered
from xinglin.web.fhir.platform import platform_routes

__all__ = ["FhirDoors", "FhirLimits", "fhir_routes", "make_fhir", "offered", "platform_routes"]
