"""A slow, plain validator: walks HL7's raw StructureDefinitions naively. What it finds is what `xinglin.fhir.validate` must find."""

from __future__ import annotations

import base64
import datetime
import json
import re
import sys
from functools import cache
from pathlib import Path
from typing import Any

import xinglin.fhir as fhir

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "src" / "xinglin" / "fhir" / "published"
RAW = ("profiles-types", "profiles-resources")
CORRECTIONS = json.loads((ROOT / "scripts" / "fhir_r4_corrections.json").read_text(encoding="utf-8"))
REGEX = "http://hl7.org/fhir/StructureDefinition/regex"
PREFIX = "http://hl7.org/fhir/StructureDefinition/"
TEXT_LIMIT = 1024 * 1024
DEEPEST = 100

Finding = tuple[str, str]


def is_available() -> bool:
    """Say whether the raw definitions stand in the source tree."""
    return all((PUBLISHED / f"{name}.json").exists() for name in RAW)


@cache
def structures() -> dict[str, dict[str, Any]]:
    """Return id → StructureDefinition, as published."""
    found = {}
    for name in RAW:
        for entry in json.loads((PUBLISHED / f"{name}.json").read_text(encoding="utf-8"))["entry"]:
            resource = entry["resource"]
            if resource["resourceType"] == "StructureDefinition" and resource["fhirVersion"] == "4.0.1":
                found[resource["id"]] = resource
    return found


@cache
def children(structure: str, path: str) -> list[dict[str, Any]]:
    """Return the element definitions directly below a path of a structure, put right where the package is wrong."""
    below = []
    for element in structures()[structure]["snapshot"]["element"]:
        place = element["path"]
        if place.rpartition(".")[0] == path and ":" not in element["id"] and place.removesuffix("[x]") not in CORRECTIONS["absent"]:
            below.append(element)
    return [element for element in below if element["max"] != "0"]


@cache
def pattern(primitive: str) -> re.Pattern[str] | None:
    """Return the regular expression the specification publishes for a primitive type."""
    for element in structures()[primitive]["snapshot"]["element"]:
        if element["path"] == f"{primitive}.value":
            for extension in element["type"][0].get("extension", ()):
                if extension["url"] == REGEX:
                    return re.compile(extension["valueString"], re.ASCII if primitive != "code" else 0)
    return None


def is_primitive(code: str) -> bool:
    """Say whether a type is primitive."""
    return code[:1].islower()


class Reference:
    """One run over one resource."""

    def __init__(self) -> None:
        self.found: list[Finding] = []

    def add(self, path: str, code: str) -> None:
        self.found.append((path, code))

    def resource(self, value: Any, path: str, depth: int, *, inside: set[str] | None = None) -> None:
        """Check a resource; inside: the contained ids of the container when it is contained itself."""
        if not isinstance(value, dict):
            return self.add(path, "structure")
        name = value.get("resourceType")
        if name is None:
            return self.add(path, "structure")
        if not isinstance(name, str) or name not in fhir.RESOURCE_TYPES:
            return self.add(f"{path}.resourceType", "not-supported")
        within = value.get("contained")
        ids = {i["id"] for i in within if isinstance(i, dict) and isinstance(i.get("id"), str)} if isinstance(within, list) else set()
        if inside is not None:
            ids = inside
            if "id" not in value:
                self.add(f"{path}.id", "required")
            if "contained" in value:
                self.add(f"{path}.contained", "structure")
        shown = {k: v for k, v in value.items() if k != "resourceType" and not (inside is not None and k == "contained")}
        return self.members(shown, (name, name), path, depth, ids)

    def members(self, value: Any, where: tuple[str, str], path: str, depth: int, ids: set[str]) -> None:
        """Check the members of an object against the children of an element."""
        if not isinstance(value, dict):
            return self.add(path, "structure")
        if depth >= DEEPEST:
            return self.add(path, "too-costly")
        if not value:
            self.add(path, "structure")
        left = set(value)
        present = {}
        for element in children(*where):
            base = element["path"].rpartition(".")[2]
            names = possible_names(element)
            here = [n for n in names if n in value or (is_primitive(names[n]) and f"_{n}" in value)]
            left -= {k for n in here for k in (n, f"_{n}") if not (k[0] == "_" and not is_primitive(names[n]))}
            present[base] = here
            minimum = CORRECTIONS["minimum"].get(element["path"], element["min"])
            if minimum and not here:
                self.add(f"{path}.{base}", "required")
            if len(here) > 1:
                self.add(f"{path}.{base}", "structure")
            for name in here:
                self.element(value, name, names[name], (element, where[0]), f"{path}.{name}", depth, ids)
        for name in left:
            shown = name if re.fullmatch("_?[A-Za-z][A-Za-z0-9]{0,63}", name) else "?"
            self.add(f"{path}.{shown}", "structure")
        if where == ("Extension", "Extension") and bool("extension" in value) == bool(present["value[x]"]):
            self.add(path, "invariant")
        if where == ("Reference", "Reference"):
            self.literal(value, path, ids)
        return None

    def element(self, owner: Any, name: str, code: str, known: tuple[dict[str, Any], str], path: str, depth: int, ids: set[str]) -> None:
        """Check one element and its sibling with the underscore."""
        element, _ = known
        sibling_name = f"_{name}" if is_primitive(code) else None
        if element["max"] == "1":
            if isinstance(owner.get(name), list):
                return self.add(path, "structure")
            if sibling_name in owner:
                self.members(owner[sibling_name], ("Element", "Element"), path, depth + 1, ids)
            if name in owner:
                self.value(owner[name], code, known, path, depth, ids)
            return None
        values = owner.get(name, [])
        siblings = owner.get(sibling_name, []) if sibling_name else []
        if not isinstance(values, list) or not isinstance(siblings, list):
            return self.add(path, "structure")
        if (name in owner and not values) or (sibling_name in owner and not siblings):
            return self.add(path, "structure")
        if name in owner and len(siblings) > len(values):
            self.add(path, "structure")
        for place in range(max(len(values), len(siblings))):
            value = values[place] if place < len(values) else None
            sibling = siblings[place] if place < len(siblings) else None
            here = f"{path}[{place}]"
            if sibling is not None:
                self.members(sibling, ("Element", "Element"), here, depth + 1, ids)
            if value is not None or (not is_primitive(code) and place < len(values)):
                self.value(value, code, known, here, depth, ids)
            elif sibling is None:
                self.add(here, "structure")
        if name == "contained":
            names = [v.get("id") if isinstance(v, dict) and isinstance(v.get("id"), str) else None for v in values]
            for place, one in enumerate(names):
                if one is not None and one in names[:place]:
                    self.add(f"{path}[{place}].id", "duplicate")
        return None

    def value(self, value: Any, code: str, known: tuple[dict[str, Any], str], path: str, depth: int, ids: set[str]) -> None:
        """Check one value."""
        element, structure = known
        url = bound(element)
        if value is None:
            self.add(path, "structure")
        elif is_primitive(code):
            fault = primitive(value, code)
            if fault:
                self.add(path, fault)
            elif url is not None and isinstance(value, str):
                allowed = fhir.load_definitions().closed_codes.get(url)
                if allowed is not None and value not in allowed:
                    self.add(path, "code-invalid")
        elif code == "Resource":
            self.resource(value, path, depth + 1, inside=ids if element["path"].endswith(".contained") else None)
        else:
            self.members(value, home(element, structure, code), path, depth + 1, ids)
            if isinstance(value, dict) and code == "Reference":
                self.targets(value, element, path)
            if isinstance(value, dict) and code == "CodeableConcept" and url is not None:
                self.concept(value, url, path)

    def concept(self, value: dict[str, Any], url: str, path: str) -> None:
        """A required binding wants one coding of the set."""
        parts = fhir.load_definitions().value_sets[url]
        codings = value.get("coding", [])
        if parts is None or not isinstance(codings, list) or (not codings and "extension" in value):
            return
        allowed = [(system, code) for system, codes in parts for code in codes]
        if not any(isinstance(c, dict) and (c.get("system"), c.get("code")) in allowed for c in codings):
            self.add(path, "code-invalid")

    def literal(self, value: dict[str, Any], path: str, ids: set[str]) -> None:
        """Check the form of a literal reference."""
        text = value.get("reference")
        if not isinstance(text, str) or primitive(text, "string"):
            return
        kind, pointed = read(text)
        if kind == "":
            self.add(f"{path}.reference", "value")
        elif kind == "#" and text != "#" and text[1:] not in ids:
            self.add(f"{path}.reference", "not-found")
        elif pointed and named(value) and pointed != named(value):
            self.add(f"{path}.type", "value")

    def targets(self, value: dict[str, Any], element: dict[str, Any], path: str) -> None:
        """Check the types a reference may point to."""
        allowed = CORRECTIONS["targets"].get(element["path"])
        if allowed is None:
            entry = next(t for t in element["type"] if t["code"] == "Reference")
            allowed = [url.removeprefix(PREFIX) for url in entry.get("targetProfile", ())]
        text = value.get("reference")
        pointed = read(text)[1] if isinstance(text, str) else ""
        spot = "reference" if pointed else "type"
        pointed = pointed or named(value)
        if pointed and allowed and "Resource" not in allowed and pointed not in allowed:
            self.add(f"{path}.{spot}", "value")


def bound(element: dict[str, Any]) -> str | None:
    """Return the value set an element is bound to with strength required."""
    if element["path"] in CORRECTIONS["value_set"]:
        return str(CORRECTIONS["value_set"][element["path"]])
    binding = element.get("binding", {})
    return binding["valueSet"].partition("|")[0] if binding.get("strength") == "required" and "valueSet" in binding else None


def possible_names(element: dict[str, Any]) -> dict[str, str]:
    """Return JSON name → type code for an element."""
    base = element["path"].rpartition(".")[2]
    if "contentReference" in element:
        return {base: "BackboneElement"}
    codes = [real_code(t["code"], element["path"]) for t in element["type"]]
    if base.endswith("[x]"):
        return {base[:-3] + code[0].upper() + code[1:]: code for code in codes}
    return {base: codes[0]}


def real_code(code: str, path: str) -> str:
    """Return the FHIR type behind the FHIRPath types that `id` and `url` are given with."""
    if not code.startswith("http://hl7.org/fhirpath/"):
        return code
    owner = path.rpartition(".")[0]
    if path == "Extension.url":
        return "uri"
    return "id" if owner in fhir.RESOURCE_TYPES else "string"


def home(element: dict[str, Any], structure: str, code: str) -> tuple[str, str]:
    """Return the (structure, path) whose children describe a value."""
    if "contentReference" in element:
        return structure, element["contentReference"].partition("#")[2]
    if code in ("BackboneElement", "Element"):
        return structure, element["path"]
    entry = next(t for t in element["type"] if t["code"] == code)
    if code == "Quantity" and f"{PREFIX}SimpleQuantity" in entry.get("profile", ()):
        return "SimpleQuantity", "Quantity"
    return code, "Quantity" if structures()[code]["snapshot"]["element"][0]["path"] == "Quantity" else code


def named(value: dict[str, Any]) -> str:
    """Return the resource type `Reference.type` names, or ""."""
    name = value.get("type")
    name = name.removeprefix(PREFIX) if isinstance(name, str) else ""
    return name if name in fhir.RESOURCE_TYPES else ""


def read(text: str) -> tuple[str, str]:
    """Return (kind, resource type or "") of a literal reference; kind "" if it has no known form."""
    identifier = re.compile(r"[A-Za-z0-9\-.]{1,64}")
    if text.startswith("#"):
        return "#", ""
    if text.startswith("urn:uuid:"):
        return ("urn" if re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text[9:]) else ""), ""
    if text.startswith("urn:oid:"):
        return ("urn" if re.fullmatch(r"[0-2](\.(0|[1-9][0-9]*))+", text[8:]) else ""), ""
    scheme = re.match(r"[A-Za-z][A-Za-z0-9+.\-]*:", text)
    if scheme and (re.search(r"\s", text) or not text[scheme.end() :]):
        return "", ""
    if scheme and not re.match("https?://", text):
        return "other", ""
    parts = text.split("/")
    if len(parts) >= 4 and parts[-2] == "_history" and identifier.fullmatch(parts[-1]):
        parts = parts[:-2]
    is_typed = len(parts) >= 2 and parts[-2] in fhir.RESOURCE_TYPES and identifier.fullmatch(parts[-1])
    if scheme:
        return "other", parts[-2] if is_typed and len(parts) >= 5 else ""
    if is_typed and len(parts) == 2:
        return "relative", parts[0]
    head, mark, query = text.partition("?")
    if mark and head in fhir.RESOURCE_TYPES and re.fullmatch(r"\S+=\S*", query):
        return "conditional", head
    return "", ""


def primitive(value: Any, code: str) -> str:
    """Return the issue code of what is wrong with a primitive value, or ""."""
    if code == "boolean":
        return "" if value is True or value is False else "structure"
    if code in ("decimal", "integer", "unsignedInt", "positiveInt"):
        return number(value, code)
    if not isinstance(value, str):
        return "structure"
    if not value:
        return "value"
    if code == "base64Binary":
        packed = "".join(value.split())
        try:
            return "" if packed and base64.b64decode(packed, validate=True) is not None else "value"
        except ValueError:
            return "value"
    if len(value) > TEXT_LIMIT and code != "xhtml":
        return "too-long"
    if any((ord(c) < 32 and c not in "\t\r\n") or 0xD800 <= ord(c) <= 0xDFFF for c in value):
        return "value"
    if code in ("string", "markdown", "xhtml"):
        return "" if value.strip() else "value"
    form = pattern(code)
    if form is not None and not form.fullmatch(value):
        return "value"
    if code in ("date", "dateTime", "instant") and len(value) >= 10:
        try:
            datetime.date.fromisoformat(value[:10])
        except ValueError:
            return "value"
    return ""


def number(value: Any, code: str) -> str:
    """Return what is wrong with a number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return "structure"
    if code == "decimal":
        return "" if abs(value) <= sys.float_info.max else "value"
    low = {"integer": -(2**31), "unsignedInt": 0, "positiveInt": 1}[code]
    return "" if isinstance(value, int) and low <= value < 2**31 else "value"


def reference_findings(resource: Any) -> set[Finding]:
    """Return the (path, issue code) of everything that is wrong with a resource."""
    run = Reference()
    name = resource.get("resourceType") if isinstance(resource, dict) else None
    run.resource(resource, name if isinstance(name, str) and name in fhir.RESOURCE_TYPES else "Resource", 0)
    return set(run.found)
