"""The gate: validate, give ids, resolve references. What fails leaves with reasons its sender can act on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import Any, Final

from xinglin import fhir
from xinglin.base.ids import uuid5_of
from xinglin.engines.exchange.model import WARNING, Entry, EntryProblem
from xinglin.engines.identity import ID_NUMBER, checked_id_number

ORIGINAL_ID_EXTENSION: Final = "urn:xinglin:ext:original-id"
SOURCE_SYSTEM: Final = "urn:xinglin:id:source:"
_REGISTERED: Final = {
    "urn:oid:2.16.156.10011.1.5": "Organization",
    "urn:oid:2.16.156.10011.1.4": "Practitioner",
}


@dataclass(frozen=True, slots=True)
class Sender:
    """Who a message comes from, as the gate needs it. ids_are_ours: our own pages and API, whose ids are kept."""

    code: str
    ids_are_ours: bool


@dataclass(frozen=True, slots=True)
class Directory:
    """Registered institutions and practitioners: (type, code) → id in the store.  validate: finds the problems of a resource.

    met: entry number → id of the resource that is there already and that its condition fits.
    """

    ids: Mapping[tuple[str, str], str]
    validate: Callable[[Mapping[str, Any]], list[fhir.Problem]] = fhir.validate
    met: Mapping[int, str] = field(default_factory=dict)


@dataclass(slots=True)
class Item:
    """An entry that passed: what shall be stored, under which id. organization: id of the institution it concerns."""

    entry_no: int
    entry: Entry
    rtype: str
    id: str
    resource: dict[str, Any]
    organization: str | None = None
    happened_on: date | None = None


@dataclass(slots=True)
class Prepared:
    """What the gate made of a message."""

    items: list[Item] = field(default_factory=list)
    problems: list[EntryProblem] = field(default_factory=list)
    refused: set[int] = field(default_factory=set)
    warnings: list[EntryProblem] = field(default_factory=list)


def without(prepared: Prepared, problems: Sequence[EntryProblem]) -> Prepared:
    """Return what passed the gate without the entries that have problems, and with these."""
    refused = {problem.entry_no for problem in problems}
    kept = [item for item in prepared.items if item.entry_no not in refused]
    return replace(prepared, items=kept, problems=[*prepared.problems, *problems], refused=prepared.refused | refused)


def original_of(entry: Entry) -> str | None:
    """Return the sender's own name of an entry: a urn, or Type/id (a URL that ends in Type/id means the same)."""
    rtype = str(entry.resource.get("resourceType"))
    own = entry.resource.get("id")
    if entry.full_url:
        if entry.full_url.startswith("urn:"):
            return entry.full_url
        parts = entry.full_url.rstrip("/").rsplit("/", 2)
        if len(parts) >= 2 and parts[-2] == rtype:
            return f"{rtype}/{parts[-1]}"
        return entry.full_url
    return f"{rtype}/{own}" if own else None


def prepare(entries: Sequence[tuple[int, Entry]], sender: Sender, directory: Directory) -> Prepared:
    """Validate entries, give each its id and rewrite every reference to it.

    entries: (1-based number, entry).  An entry with a problem is left out; the others keep their places. A conditional create whose
    resource is there already is not written: references to it lead to that resource.
    """
    result = Prepared()
    names: dict[str, tuple[str, str]] = {}
    for number, entry in entries:
        if not _named(number, entry, sender, (names, result)):
            result.refused.add(number)
        elif number in directory.met:
            names[original_of(entry) or ""] = (entry.resource["resourceType"], directory.met[number])
    ids, shared = _registered_here(entries, sender, directory, (names, result))
    directory = replace(directory, ids=ids)
    for number, entry in entries:
        if number in result.refused or number in shared or number in directory.met and entry.method == "POST":
            continue
        problems = _check(number, entry, directory) if entry.method != "DELETE" else []
        if not problems:
            item, problems = _item(number, entry, _Resolver(sender, directory, names))
        if problems:
            result.problems.extend(problems)
            result.refused.add(number)
        else:
            result.items.append(item)
            result.warnings.extend(_doubts(item))
    return result


def _doubts(item: Item) -> list[EntryProblem]:
    """Return what is stored as it came but cannot be right: an ID number whose check digit does not fit."""
    if item.rtype != "Patient" or item.entry.method == "DELETE":
        return []
    words = (
        "身份证号的校验码不符，已按原样保存，但不用于认人；请核对后重发",
        "the check digit of the ID number does not fit; it is kept as sent and not used to link: check it and send it again",
    )
    return [
        EntryProblem(item.entry_no, WARNING, f"Patient.identifier[{place}].value", *words)
        for place, identifier in enumerate(item.resource.get("identifier", ()))
        if identifier.get("system") == ID_NUMBER and identifier.get("value") and checked_id_number(str(identifier["value"])) is None
    ]


def _registered_here(
    entries: Sequence[tuple[int, Entry]], sender: Sender, directory: Directory, state: tuple[dict[str, tuple[str, str]], Prepared]
) -> tuple[dict[tuple[str, str], str], set[int]]:
    """Return the directory with the institutions and practitioners the message itself brings, and the entries that mean one known already.

    A code is registered once: what a second sender calls by it is the registered one, which stays as it is; references follow to it.
    """
    names, result = state
    ids, shared = dict(directory.ids), set()
    for number, entry in entries:
        key = _register_key(entry)
        if key is None or number in result.refused or entry.method == "DELETE":
            continue
        original = original_of(entry) or ""
        rtype, own = names[original]
        known = ids.setdefault(key, own)
        if known == own:
            continue
        if sender.ids_are_ours:
            words = ("这个编码已登记在另一条上，请修改已登记的那一条", "this code is registered under another id; change that one instead")
            result.problems.append(EntryProblem(number, "conflict", f"{rtype}.identifier", *words))
            result.refused.add(number)
            continue
        words = (
            "这个编码已由先前的来源登记，沿用已登记的一条，内容不改；引用都指向它",
            "this code was registered before; the registered one is kept as it is and references lead to it",
        )
        result.warnings.append(EntryProblem(number, WARNING, f"{rtype}.identifier", *words))
        names[original] = (rtype, known)
        shared.add(number)
    return ids, shared


def _register_key(entry: Entry) -> tuple[str, str] | None:
    """Return (type, registered code) of an institution or practitioner."""
    rtype = entry.resource.get("resourceType")
    listed = entry.resource.get("identifier") if rtype in _REGISTERED.values() else None
    for identifier in listed if isinstance(listed, list) else ():
        if isinstance(identifier, Mapping) and _REGISTERED.get(str(identifier.get("system"))) == rtype and identifier.get("value"):
            return str(rtype), str(identifier["value"])
    return None


def _named(number: int, entry: Entry, sender: Sender, state: tuple[dict[str, tuple[str, str]], Prepared]) -> bool:
    names, result = state
    original = original_of(entry)
    rtype = entry.resource.get("resourceType")
    if not isinstance(rtype, str) or rtype not in fhir.RESOURCE_TYPES:
        result.problems.append(EntryProblem(number, "not_fhir", "resourceType", "没有这种 FHIR R4 资源", "R4 has no such resource type"))
        return False
    if original is None:
        words = (
            "缺少 id 或 fullUrl，请写明本资源在贵方系统中的标识",
            "id or fullUrl is missing: name the resource as your system knows it",
        )
        result.problems.append(EntryProblem(number, "invalid", f"{rtype}.id", *words))
        return False
    if original in names:
        words = ("同一消息中有两个条目使用同一标识，请只保留一个", "two entries of the message carry the same id; keep one")
        result.problems.append(EntryProblem(number, "duplicate", f"{rtype}.id", *words))
        return False
    names[original] = (rtype, given_id(original, rtype, sender))
    return True


def given_id(original: str, rtype: str, sender: Sender) -> str:
    """Return the id in the store of what a sender calls `original`."""
    if sender.ids_are_ours:
        return original.removeprefix("urn:uuid:").removeprefix(f"{rtype}/")
    return uuid5_of(sender.code, original)


def _check(number: int, entry: Entry, directory: Directory) -> list[EntryProblem]:
    found = directory.validate(entry.resource)
    return [EntryProblem(number, "invalid", problem.path, problem.zh, problem.en) for problem in found if problem.severity == "error"]


@dataclass(frozen=True, slots=True)
class _Resolver:
    """Turns what a sender wrote in Reference into what the store knows. found: answers given before."""

    sender: Sender
    directory: Directory
    names: Mapping[str, tuple[str, str]]
    found: dict[str, str | None] = field(default_factory=dict)

    def resolve(self, reference: str) -> str | None:
        """Return the reference to write; None for one that leads nowhere."""
        if reference not in self.found:
            self.found[reference] = self._resolve(reference)
        return self.found[reference]

    def _resolve(self, reference: str) -> str | None:
        if reference.startswith("#"):
            return reference
        known = self.names.get(reference)
        if known is None and "/" in reference and not reference.startswith("urn:"):
            known = self.names.get("/".join(reference.rsplit("/", 2)[-2:]))
        if known is not None:
            return f"{known[0]}/{known[1]}"
        if reference.startswith("urn:"):
            return None
        if self.sender.ids_are_ours or "://" in reference:
            return reference
        head, _, version = reference.partition("/_history/")
        kind, _, own = head.partition("/")
        if kind in fhir.RESOURCE_TYPES and own:
            return f"{kind}/{given_id(head, kind, self.sender)}" + (f"/_history/{version}" if version else "")
        return None

    def registered(self, identifier: Mapping[str, Any]) -> str | None:
        """Return the reference to a registered institution or practitioner named by its code."""
        rtype = _REGISTERED.get(str(identifier.get("system")))
        own = self.directory.ids.get((rtype, str(identifier.get("value")))) if rtype else None
        return f"{rtype}/{own}" if own else None


def _item(number: int, entry: Entry, resolver: _Resolver) -> tuple[Item, list[EntryProblem]]:
    original = original_of(entry) or ""
    rtype = entry.resource["resourceType"]
    own = resolver.names[original][1]
    if entry.method == "DELETE":
        return Item(number, entry, rtype, own, {}), []
    lost: list[str] = []
    resource = dict(_rewritten(entry.resource, resolver, lost))
    resource["id"] = own
    if not resolver.sender.ids_are_ours:
        _keep_original(resource, resolver.sender.code, original)
    words = (
        "引用指向本消息中没有的条目，请一并发送或改用 类型/标识",
        "the reference leads to an entry that is not in the message; send it too, or write Type/id",
    )
    problems = [EntryProblem(number, "reference", path, *words) for path in (_paths_of(resource, lost) if lost else ())]
    return Item(number, entry, rtype, own, resource, _organization(resource), _day_of(resource)), problems


def _rewritten(value: Mapping[str, Any], resolver: _Resolver, lost: list[str]) -> Mapping[str, Any]:
    """Return a JSON object with every Reference resolved, sharing all parts that hold none; adds to `lost` those that lead nowhere.

    The object itself is left as it was sent: the quarantine and a later replay show that.
    """
    changed: dict[str, Any] = {}
    for name, item in value.items():
        kind = type(item)
        if kind is dict:
            new: Any = _rewritten(item, resolver, lost)
        elif kind is list:
            new = _rewritten_list(item, resolver, lost)
        else:
            continue
        if new is not item:
            changed[name] = new
    reference = value.get("reference")
    if reference is not None and type(reference) is str:
        resolved = resolver.resolve(reference)
        if resolved is None:
            lost.append(reference)
        elif resolved != reference:
            changed["reference"] = resolved
    elif reference is None and "identifier" in value:
        identifier = value["identifier"]
        known = resolver.registered(identifier) if type(identifier) is dict and "system" in identifier else None
        if known:
            changed["reference"] = known
    return {**value, **changed} if changed else value


def _rewritten_list(values: list[Any], resolver: _Resolver, lost: list[str]) -> list[Any]:
    changed: list[Any] | None = None
    for place, item in enumerate(values):
        kind = type(item)
        if kind is dict:
            new: Any = _rewritten(item, resolver, lost)
        elif kind is list:
            new = _rewritten_list(item, resolver, lost)
        else:
            continue
        if new is not item:
            changed = changed or list(values)
            changed[place] = new
    return values if changed is None else changed


def _paths_of(resource: Mapping[str, Any], lost: Sequence[str]) -> list[str]:
    """Return where the references stand that lead nowhere."""
    return [path for path, container, key in fhir.references(resource) if key == "reference" and container[key] in lost]


def _keep_original(resource: dict[str, Any], source: str, original: str) -> None:
    """Write the sender's own id into `identifier` where the type has a list of them, else into an extension."""
    kind = keeps_original_in(resource["resourceType"])
    if kind == "identifier":
        identifier = {"system": f"{SOURCE_SYSTEM}{source}", "value": original}
        resource["identifier"] = [*resource.get("identifier", ()), identifier]
    elif kind == "extension":
        extension = {"url": ORIGINAL_ID_EXTENSION, "valueString": f"{source}#{original}"}
        resource["extension"] = [*resource.get("extension", ()), extension]


@cache
def keeps_original_in(rtype: str) -> str | None:
    """Return where the gate keeps the sender's own id in resources of a type: identifier, extension, or None for nowhere."""
    elements = {element.name: element for element in fhir.load_definitions().types[rtype].elements}
    if "identifier" in elements and elements["identifier"].repeats:
        return "identifier"
    return "extension" if "extension" in elements else None


def _organization(resource: Mapping[str, Any]) -> str | None:
    """Return the id of the institution a resource says it comes from."""
    for name in ("managingOrganization", "serviceProvider", "custodian", "performer", "authority"):
        value = resource.get(name)
        if value is None:
            continue
        for reference in value if isinstance(value, list) else [value]:
            text = _reference_in(reference)
            if text.startswith("Organization/"):
                return text.partition("/")[2]
    return None


def _reference_in(value: Any) -> str:
    if not isinstance(value, Mapping):
        return ""
    actor = value.get("actor")
    inner = actor if isinstance(actor, Mapping) else value
    return str(inner.get("reference", ""))


def _day_of(resource: Mapping[str, Any]) -> date | None:
    """Return the day a resource is about, for the delay shown per institution."""
    period = resource.get("period")
    text = resource.get("effectiveDateTime") or resource.get("authored") or resource.get("recordedDate") or resource.get("authoredOn")
    if not text and isinstance(period, Mapping):
        text = period.get("start")
    try:
        return date.fromisoformat(str(text)[:10]) if text else None
    except ValueError:
        return None
