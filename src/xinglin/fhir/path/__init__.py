"""FHIRPath compiled to Python closures: what SQL on FHIR views and search need of it, over plain JSON values.  See README.md."""

from xinglin.fhir.path.compiler import compile_expression
from xinglin.fhir.path.steps import Env

__all__ = ["Env", "compile_expression"]
