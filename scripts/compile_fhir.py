"""Compile HL7's published R4 definitions into one compact file that loads in milliseconds; standard library only.

Reads the JSON files that `hatch_build.py` brought into `src/xinglin/fhir/published/` and writes `compiled.json` beside them:
types with their elements, required value sets expanded to closed code lists, search parameters, the patient compartment.
Entries that are not HL7's R4 4.0.1 (the npm package adds some of R4B, R5 and its own) are left out or put right. Run by hand: `python scripts/compile_fhir.py`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

R4 = "4.0.1"
PREFIX = "http://hl7.org/fhir/StructureDefinition/"
SYSTEM_TYPES = "http://hl7.org/fhirpath/System."
SOURCES = (
    "profiles-types",
    "profiles-resources",
    "search-parameters",
    "valuesets",
    "v3-codesystems",
    "v2-tables",
)
CORRECTIONS = Path(__file__).resolve().parent / "fhir_r4_corrections.json"
"""What the npm package added to or changed in R4's types, and what R4 4.0.1 says."""

Json = dict[str, Any]


def resources_of(folder: Path, name: str) -> list[Json]:
    """Return the resources of one published bundle."""
    bundle = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    return [entry["resource"] for entry in bundle["entry"] if "resource" in entry]


def bare(url: str) -> str:
    """Return a canonical URL without its version."""
    return url.split("|", 1)[0]


def is_r4_structure(resource: Json) -> bool:
    """Say whether a resource is one of HL7's R4 structure definitions that instances can have."""
    return (
        resource["resourceType"] == "StructureDefinition"
        and resource.get("fhirVersion") == R4
        and resource["url"].startswith(PREFIX)
        and resource["kind"] in ("resource", "complex-type")
    )


class Structures:
    """Turns snapshots into records [name, choice, min, max, [[code, key, targets]...], value set or null]."""

    def __init__(self) -> None:
        self.types: dict[str, Json] = {}
        self.bound: set[str] = set()  # canonical URLs of the required value sets, known once corrected

    def add(self, structure: Json) -> None:
        """Add one structure definition: one record per type and per backbone element."""
        name = structure["id"]
        elements = [e for e in structure["snapshot"]["element"] if ":" not in e["id"]]
        root = elements[0]["path"]
        parents = {e["path"] for e in elements if self._is_parent(e, elements)}
        for element in elements:
            path: str = element["path"]
            if path == root or path in parents:
                kind = structure["kind"] if path == root else "backbone"
                record: Json = {"kind": kind, "abstract": bool(structure.get("abstract")) and path == root, "elements": []}
                self.types[self._key(name, root, path)] = record
            if path == root or str(element["max"]) == "0":
                continue
            parent = path.rsplit(".", 1)[0]
            self.types[self._key(name, root, parent)]["elements"].append(self._element(element, name, root, structure["kind"]))

    @staticmethod
    def _is_parent(element: Json, elements: list[Json]) -> bool:
        return any(other["path"].startswith(element["path"] + ".") for other in elements)

    @staticmethod
    def _key(name: str, root: str, path: str) -> str:
        return name + path[len(root) :]

    def _element(self, element: Json, name: str, root: str, kind: str) -> list[Any]:
        path: str = element["path"]
        field = path.rsplit(".", 1)[1]
        choice = field.endswith("[x]")
        maximum = -1 if element["max"] == "*" else int(element["max"])
        key = self._key(name, root, path)
        if "contentReference" in element:
            types = [["BackboneElement", self._key(name, root, element["contentReference"].split("#", 1)[1]), []]]
        else:
            types = [self._type(entry, path, key, root, kind) for entry in element["type"]]
        return [field.removesuffix("[x]"), choice, element["min"], maximum, types, self._binding(element)]

    @staticmethod
    def _type(entry: Json, path: str, key: str, root: str, kind: str) -> list[Any]:
        code: str = entry["code"]
        if code.startswith(SYSTEM_TYPES):
            code = {"Extension.url": "uri"}.get(path, "id" if kind == "resource" and path == f"{root}.id" else "string")
        if code in ("BackboneElement", "Element"):
            return [code, key, []]
        targets = [bare(url).removeprefix(PREFIX) for url in entry.get("targetProfile", ())] if code == "Reference" else []
        if "Resource" in targets:
            targets = []
        if code == "Quantity" and f"{PREFIX}SimpleQuantity" in entry.get("profile", ()):
            return [code, "SimpleQuantity", []]
        return [code, code, sorted(set(targets))]

    def correct(self, corrections: Json) -> None:
        """Put right what the package changed; every correction must hit something, or it is out of date."""
        for path in corrections["absent"]:
            owner, name = path.rsplit(".", 1)
            before = self.types[owner]["elements"]
            self.types[owner]["elements"] = [e for e in before if e[0] != name]
            if len(self.types[owner]["elements"]) == len(before):
                raise SystemExit(f"fhir_r4_corrections.json: {path} is not in the definitions; remove the line")
            for key in [key for key in self.types if key == path or key.startswith(f"{path}.")]:
                del self.types[key]
        for path, minimum in corrections["minimum"].items():
            self._found(path)[2] = minimum
        for path, targets in corrections["targets"].items():
            self._found(path)[4][0][2] = targets
        for path, url in corrections["value_set"].items():
            self._found(path)[5] = url
        for owner, elements in corrections["added"].items():
            self.types[owner]["elements"].extend(elements)
        self.bound = {e[5] for record in self.types.values() for e in record["elements"] if e[5] is not None}

    def _found(self, path: str) -> list[Any]:
        owner, name = path.rsplit(".", 1)
        for element in self.types[owner]["elements"]:
            if element[0] == name:
                return element  # type: ignore[no-any-return]
        raise SystemExit(f"fhir_r4_corrections.json: {path} is not in the definitions; remove the line")

    def _binding(self, element: Json) -> str | None:
        binding = element.get("binding")
        if not binding or binding.get("strength") != "required" or "valueSet" not in binding:
            return None
        return bare(binding["valueSet"])


class Expander:
    """Expands value sets into closed lists [[system, [code...]]...]; None where the list is open (UCUM, MIME types, LOINC)."""

    def __init__(self, resources: list[Json]) -> None:
        self.value_sets = {r["url"]: r for r in resources if r["resourceType"] == "ValueSet"}
        self.systems = {r["url"]: r for r in resources if r["resourceType"] == "CodeSystem"}

    def expand(self, url: str) -> list[list[Any]] | None:
        """Return the expansion of one value set, or None if it cannot be closed."""
        pairs = self._pairs(url)
        if not pairs:
            return None
        merged: dict[str, list[str]] = {}
        for system, code in pairs:
            merged.setdefault(system, []).append(code)
        return [[system, codes] for system, codes in merged.items()]

    def _pairs(self, url: str) -> dict[tuple[str, str], None] | None:
        compose = self.value_sets.get(bare(url), {}).get("compose", {})
        found: dict[tuple[str, str], None] = {}
        for include in compose.get("include", ()):
            part = self._part(include)
            if part is None:
                return None
            found.update(part)
        for exclude in compose.get("exclude", ()):
            for pair in self._part(exclude) or ():
                found.pop(pair, None)
        return found

    def _part(self, include: Json) -> dict[tuple[str, str], None] | None:
        own: dict[tuple[str, str], None] | None = None
        if "system" in include:
            codes = self._codes(include)
            if codes is None:
                return None
            own = {(include["system"], code): None for code in codes}
        for url in include.get("valueSet", ()):
            imported = self._pairs(url)
            if imported is None:
                return None
            own = imported if own is None else {pair: None for pair in own if pair in imported}
        return own

    def _codes(self, include: Json) -> list[str] | None:
        if "concept" in include:
            return [concept["code"] for concept in include["concept"]]
        system = self.systems.get(include["system"])
        if system is None or system.get("content") != "complete":
            return None
        codes = list(self._walk(system.get("concept", ()), ()))
        for condition in include.get("filter", ()):
            if condition["op"] not in ("is-a", "descendent-of") or condition["property"] != "concept":
                return None
            root = condition["value"]
            codes = [(c, up) for c, up in codes if root in up or (condition["op"] == "is-a" and c == root)]
        return [code for code, _ in codes]

    def _walk(self, concepts: Any, ancestors: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, ...]]]:
        for concept in concepts:
            parents = {p["valueCode"] for p in concept.get("property", ()) if p["code"] in ("subsumedBy", "parent") and "valueCode" in p}
            yield concept["code"], (*ancestors, *parents)
            yield from self._walk(concept.get("concept", ()), (*ancestors, *parents, concept["code"]))


def search_records(resources: list[Json]) -> list[Json]:
    """Return the R4 search parameters: code, url, base, type, expression, targets, composite components."""
    return [
        {
            "code": r["code"],
            "url": r["url"],
            "base": [base for base in r["base"] if base != "SubscriptionStatus"],
            "type": r["type"],
            "expression": r.get("expression", ""),
            "target": r.get("target", []),
            "component": [[c["definition"], c["expression"]] for c in r.get("component", ())],
        }
        for r in resources
        if r["resourceType"] == "SearchParameter" and r.get("version") == R4 and r["url"].startswith("http://hl7.org/fhir/")
    ]


def compile_definitions(folder: Path) -> Json:
    """Return everything the fhir room needs to know, as one JSON-able object."""
    loaded = {name: resources_of(folder, name) for name in SOURCES}
    structures = Structures()
    for resource in loaded["profiles-types"] + loaded["profiles-resources"]:
        if is_r4_structure(resource):
            structures.add(resource)
    structures.correct(json.loads(CORRECTIONS.read_text(encoding="utf-8")))
    expander = Expander(loaded["valuesets"] + loaded["v3-codesystems"] + loaded["v2-tables"])
    compartment = json.loads((folder / "compartmentdefinition-patient.json").read_text(encoding="utf-8"))
    return {
        "version": R4,
        "types": structures.types,
        "value_sets": {url: expander.expand(url) for url in sorted(structures.bound)},
        "search": search_records(loaded["search-parameters"]),
        "patient_compartment": {r["code"]: r["param"] for r in compartment["resource"] if r.get("param")},
    }


def write_compiled(folder: Path) -> Path:
    """Write compiled.json into the folder of the published files; returns its path."""
    target = folder / "compiled.json"
    text = json.dumps(compile_definitions(folder), ensure_ascii=False, separators=(",", ":"))
    target.write_text(text + "\n", encoding="utf-8")
    return target


if __name__ == "__main__":
    print(write_compiled(Path(__file__).resolve().parent.parent / "src" / "xinglin" / "fhir" / "published"))
