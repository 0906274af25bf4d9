"""POST of a Bundle: transaction (all or nothing) and batch (each for itself)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.responses import Response

from xinglin.base.errors import IncorrectError, NotFoundError, UnsupportedError, XinglinError
from xinglin.engines.exchange import Entry, EntryProblem, Receipt
from xinglin.engines.store import Outcome
from xinglin.fhir import operation_outcome, rewrite_references
from xinglin.web.fhir.doors import Call, language_of
from xinglin.web.fhir.intake import keep, kept_if_refused, submit, take_body
from xinglin.web.fhir.reads import history_bundle, search_bundle, version_number
from xinglin.web.fhir.wire import answer, bundle, encode, wants
from xinglin.web.fhir.writes import (
    check_resource,
    conditional_update,
    creation,
    entry_type,
    if_match,
    location,
    named_target,
    refused,
    sole_match,
    stored_outcome,
    update_entry,
)

ENTRY_LIMIT: Final = 20_000
_LINE: Final = {"created": "201 Created", "updated": "200 OK", "unchanged": "200 OK", "deleted": "204 No Content"}


@dataclass(slots=True)
class _Step:
    """One entry of a bundle on its way. entry: to be written; error: why not; problems: what was found wrong or is to be looked at."""

    number: int
    method: str
    url: str
    full_url: str | None
    resource: Mapping[str, Any] | None
    entry: Entry | None = None
    error: XinglinError | None = None
    outcome: Outcome | None = None
    problems: list[EntryProblem] = field(default_factory=list)
    warnings: list[EntryProblem] = field(default_factory=list)


async def post_bundle(call: Call) -> Response:
    """Answer a transaction or batch."""
    content, sent = await take_body(call)
    async with kept_if_refused(call, content):
        steps = _read_steps(sent)
        atomic = sent["type"] == "transaction"
        await _aim(call, steps, atomic=atomic)
    writing = [step for step in steps if step.entry is not None]
    if writing:
        receipt = await submit(call, content, [step.entry for step in writing if step.entry is not None], atomic=atomic, kind="bundle")
        _take_receipt(call, writing, receipt, atomic=atomic)
    elif first := next((step.error for step in steps if step.error is not None and step.method != "GET"), None):
        await keep(call, content, first)
    answers = [await _answer_step(call, step, atomic=atomic) for step in steps]
    return answer(bundle(f"{sent['type']}-response", answers, {}))


def _read_steps(sent: Mapping[str, Any]) -> list[_Step]:
    if sent.get("resourceType") != "Bundle" or sent.get("type") not in ("transaction", "batch"):
        raise IncorrectError(
            "此处只接受 type 为 transaction 或 batch 的 Bundle", "send a Bundle of type transaction or batch here", where="Bundle.type"
        )
    entries = sent.get("entry") or []
    if not isinstance(entries, list) or len(entries) > ENTRY_LIMIT:
        raise IncorrectError(f"entry 须为列表，最多 {ENTRY_LIMIT} 条", f"entry is a list of at most {ENTRY_LIMIT}", where="Bundle.entry")
    return [_read_step(number, entry) for number, entry in enumerate(entries)]


def _read_step(number: int, entry: Any) -> _Step:
    request = entry.get("request") if isinstance(entry, dict) else None
    if not isinstance(request, dict) or not isinstance(request.get("method"), str) or not isinstance(request.get("url"), str):
        step = _Step(number, "", "", None, None)
        step.error = IncorrectError("缺少 request.method 或 request.url", "request.method or request.url is missing", where=_place(number))
        return step
    resource = entry.get("resource")
    full_url = entry.get("fullUrl")
    return _Step(
        number,
        request["method"],
        request["url"],
        full_url if isinstance(full_url, str) else None,
        {**resource, "\x00request": request} if isinstance(resource, dict) else {"\x00request": request},
    )


async def _aim(call: Call, steps: Sequence[_Step], *, atomic: bool) -> None:
    """Find out what every write means; rewrite references to entries that got another id. A transaction stops at the first refusal."""
    names: dict[str, str] = {}
    for step in steps:
        if step.error is None and step.method in ("POST", "PUT", "DELETE"):
            try:
                await _aim_step(call, step, names)
            except XinglinError as error:
                step.error = error
        elif step.error is None and step.method != "GET":
            step.error = UnsupportedError("此处支持 GET、POST、PUT、DELETE", "write GET, POST, PUT or DELETE", where=_place(step.number))
        if step.error is not None and atomic:
            raise _placed(step.error, step.number)
    for step in steps:
        if step.entry is not None and isinstance(step.entry.resource, dict):
            rewrite_references(step.entry.resource, names)


async def _aim_step(call: Call, step: _Step, names: dict[str, str]) -> None:
    rtype, own_id, query = entry_type(step.url)
    given = dict(step.resource or {})
    request = given.pop("\x00request")
    if step.method == "DELETE":
        step.entry = await _deletion(call, (rtype, own_id, query), request)
        return
    check_resource(rtype, given)
    if step.method == "POST":
        condition = request.get("ifNoneExist")
        if condition:
            await sole_match(call, rtype, str(condition))
        step.entry = creation(given, call.doors.new_id(), str(condition) if condition else None)
    elif own_id:
        target = await named_target(call, rtype, own_id)
        step.entry = update_entry(given, target, if_match(request.get("ifMatch")))
        if own_id != target.id:
            names[f"{rtype}/{own_id}"] = f"{rtype}/{target.id}"
    else:
        step.entry = await conditional_update(call, given, query, if_match(request.get("ifMatch")))
    if step.full_url:
        if step.full_url in names:
            step.entry = None
            words = ("同一 Bundle 中有两个条目使用同一 fullUrl，请只保留一个", "two entries of the Bundle carry the same fullUrl; keep one")
            raise IncorrectError(*words, where="fullUrl")
        # What a condition may still turn into another resource is named by its urn; the gate knows what that is in the end.
        names[step.full_url] = step.entry.full_url or f"{rtype}/{step.entry.resource['id']}"


async def _deletion(call: Call, place: tuple[str, str | None, str], request: Mapping[str, Any]) -> Entry | None:
    rtype, own_id, query = place
    found = await call.doors.store.lookup(call.scope, rtype, [("_id", own_id)]) if own_id else [await sole_match(call, rtype, query)]
    if not found or found[0] is None:
        raise NotFoundError("没有这个资源", "there is no such resource", where=rtype)
    return Entry({"resourceType": rtype, "id": found[0].id}, None, "DELETE", if_match(request.get("ifMatch")))


def _take_receipt(call: Call, writing: Sequence[_Step], receipt: Receipt, *, atomic: bool) -> None:
    by_number = dict(enumerate(writing, 1))
    for problem in receipt.problems:
        if problem.entry_no in by_number:
            by_number[problem.entry_no].problems.append(problem)
    for warning in receipt.warnings:
        if warning.entry_no in by_number:
            by_number[warning.entry_no].warnings.append(warning)
    if atomic and receipt.problems:
        first = receipt.problems[0]
        step = by_number.get(first.entry_no)
        request = (step.resource or {}).get("\x00request", {}) if step is not None else {}
        conditional = bool(request.get("ifMatch") or request.get("ifNoneExist"))
        error = refused(receipt.problems, language_of(call.request), is_conditional=conditional)
        raise _placed(error, step.number) if step is not None else error
    for step, outcome in zip(writing, receipt.outcomes, strict=False):
        step.outcome = outcome
        if outcome is None and step.problems:
            step.error = refused(tuple(step.problems), language_of(call.request), is_conditional=False)


async def _answer_step(call: Call, step: _Step, *, atomic: bool) -> bytes:
    if step.error is None and step.method == "GET":
        try:
            return b'{"resource":%s,"response":{"status":"200 OK"}}' % await _get(call, step.url)
        except XinglinError as error:
            if atomic:
                raise _placed(error, step.number) from error
            step.error = error
    if step.error is not None:
        outcome = operation_outcome(_placed(step.error, step.number), language_of(call.request))
        return encode({"response": {"status": str(step.error.http_status), "outcome": outcome}})
    if step.outcome is None:
        return encode({"response": {"status": "500"}})
    return await _answer_outcome(call, step.outcome, step.warnings)


async def _answer_outcome(call: Call, outcome: Outcome, warnings: Sequence[EntryProblem]) -> bytes:
    response: dict[str, Any] = {"status": _LINE[outcome.status], "location": location(call, outcome), "etag": f'W/"{outcome.version}"'}
    if outcome.updated_at is not None:
        response["lastModified"] = outcome.updated_at.isoformat()
    if warnings or wants(call.request, "minimal") == "OperationOutcome":
        response["outcome"] = stored_outcome(warnings, language_of(call.request))
    about = encode({"fullUrl": f"{call.base}/{outcome.rtype}/{outcome.id}", "response": response})
    if wants(call.request, "minimal") != "representation" or outcome.status == "deleted":
        return about
    try:
        entry = await call.doors.store.vread(call.scope, outcome.rtype, outcome.id, outcome.version)
    except NotFoundError:
        return about
    return b'{"resource":%s,%s' % (entry.body, about[1:])


async def _get(call: Call, url: str) -> bytes:
    path, _, query = url.partition("?")
    parts = path.strip("/").split("/")
    rtype = entry_type(url)[0]
    match parts:
        case [_]:
            return await search_bundle(call, rtype, query)
        case [_, "_history"]:
            return await history_bundle(call, {"rtype": rtype}, query)
        case [_, own_id]:
            return (await call.doors.store.read(call.scope, rtype, own_id)).body
        case [_, own_id, "_history"]:
            return await history_bundle(call, {"rtype": rtype, "id": own_id}, query)
        case [_, own_id, "_history", version]:
            return (await call.doors.store.vread(call.scope, rtype, own_id, version_number(version, rtype))).body
    raise UnsupportedError("request.url 无法识别", "request.url is not an address of this interface", status=404)


def _place(number: int) -> str:
    return f"Bundle.entry[{number}]"


def _placed(error: XinglinError, number: int) -> XinglinError:
    """Return an error that says which entry it is about."""
    where = error.where if error.where.startswith("Bundle.entry") else f"{_place(number)} {error.where}".rstrip()
    return type(error)(error.zh, error.en, where=where, status=error.http_status)
