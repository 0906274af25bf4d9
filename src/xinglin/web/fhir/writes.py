"""POST, PUT, DELETE of one resource: through the exchange, with a row in the ledger each."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.responses import Response

from xinglin.base.errors import ConflictError, IncorrectError, NotFoundError, UnsupportedError, XinglinError
from xinglin.base.ids import uuid5_of
from xinglin.engines.exchange import OWN_API, Entry, EntryProblem
from xinglin.engines.store import Outcome, Stored
from xinglin.fhir import RESOURCE_TYPES, Problem, operation_outcome
from xinglin.web.fhir.doors import Call, language_of
from xinglin.web.fhir.intake import kept_if_refused, submit, take_body
from xinglin.web.fhir.reads import check_type
from xinglin.web.fhir.wire import answer, encode, version_headers, wants

_VERSION_TAG: Final = re.compile(r'\s*(?:W/)?"?(\d{1,9})"?\s*')
_STATUS_OF_REASON: Final = {"conflict": 409, "not_fhir": 400, "unreadable": 400, "too_large": 413}


@dataclass(frozen=True, slots=True)
class Target:
    """What a write means once its condition and the caller's scope have been looked at.

    id: of the resource to write.  present: what is there now, None for nothing the caller can see.
    """

    rtype: str
    id: str
    present: Stored | None


async def create(call: Call) -> Response:
    """Answer a create; with If-None-Exist a resource that is there already is the answer.

    The condition is looked up again where the resource is written, with other writers kept out: two at once make one.
    """
    content, resource = await take_body(call)
    condition = call.request.headers.get("if-none-exist")
    async with kept_if_refused(call, content):
        rtype = check_type(call.request.path_params["rtype"])
        check_resource(rtype, resource)
        if condition is not None:
            await sole_match(call, rtype, condition)
    return await _submit_one(call, content, creation(resource, call.doors.new_id(), condition))


def creation(resource: Mapping[str, Any], new_id: str, condition: str | None) -> Entry:
    """Return the entry that creates a resource of ours, or means the one the condition fits."""
    return Entry({**resource, "id": new_id}, f"urn:uuid:{new_id}", "POST", 0, condition or None)


async def update(call: Call) -> Response:
    """Answer an update, or a create where the caller sees nothing under the id."""
    content, resource = await take_body(call)
    async with kept_if_refused(call, content):
        rtype = check_type(call.request.path_params["rtype"])
        check_resource(rtype, resource)
        asked = call.request.path_params.get("id")
        expected = if_match(call.request.headers.get("if-match"))
        if asked is None:
            entry = await conditional_update(call, resource, call.request.url.query, expected)
        elif resource.get("id") != asked:
            raise IncorrectError("资源里的 id 须与网址一致", "the id in the resource must be the one in the address", where=f"{rtype}.id")
        else:
            entry = update_entry(resource, await named_target(call, rtype, asked), expected)
    return await _submit_one(call, content, entry)


def update_entry(resource: Mapping[str, Any], target: Target, expected: int | None) -> Entry:
    """Return the entry that writes a target. expected: the version of an If-Match; without one, what is not there must not be there."""
    return Entry({**resource, "id": target.id}, None, "PUT", 0 if expected is None and target.present is None else expected)


async def delete(call: Call) -> Response:
    """Answer a delete; deleting what is deleted already changes nothing."""
    rtype = check_type(call.request.path_params["rtype"])
    asked = call.request.path_params.get("id")
    if asked is None:
        found = await sole_match(call, rtype, call.request.url.query)
        if found is None:
            raise NotFoundError("没有符合条件的资源", "no resource fits the condition", where=rtype)
        asked = found.id
    else:
        try:
            await call.doors.store.read(call.scope, rtype, asked)
        except NotFoundError as error:
            if error.http_status == 410:
                return Response(status_code=204)
            raise
    entry = Entry({"resourceType": rtype, "id": asked}, None, "DELETE", if_match(call.request.headers.get("if-match")))
    receipt = await submit(call, encode({"method": "DELETE", "url": f"{rtype}/{asked}"}), [entry], atomic=True)
    if receipt.problems:
        raise refused(receipt.problems, language_of(call.request), is_conditional=is_conditional(call))
    outcome = receipt.outcomes[0]
    return Response(status_code=204, headers={"etag": f'W/"{outcome.version}"'} if outcome else {})


def check_resource(rtype: str, resource: Mapping[str, Any]) -> None:
    """Refuse a body of another type than the address says.  Raises: IncorrectError."""
    if resource.get("resourceType") != rtype:
        raise IncorrectError(f"resourceType 须为 {rtype}", f"write resourceType {rtype}, as in the address", where="resourceType")


async def sole_match(call: Call, rtype: str, condition: str) -> Stored | None:
    """Return the one resource a condition fits inside the caller's scope, None for none.

    Raises: ConflictError (412) for several; IncorrectError for an empty condition, which everything fits, or one that cannot be read.
    """
    if not condition.strip("?&= "):
        raise IncorrectError("请写条件，如 identifier=系统|值", "write a condition such as identifier=system|value", where=rtype)
    found = await call.doors.store.lookup(call.scope, rtype, parse_qsl(condition, keep_blank_values=True))
    if len(found) > 1:
        raise ConflictError(
            "条件符合多个资源，请写得更确切", "the condition fits several resources; make it narrower", where=rtype, status=412
        )
    return found[0] if found else None


async def conditional_update(call: Call, resource: Mapping[str, Any], condition: str, expected: int | None) -> Entry:
    """Return the entry of a conditional update; its condition is looked up again where it is written.

    Raises: ConflictError, IncorrectError.
    """
    rtype, own_id = str(resource["resourceType"]), resource.get("id")
    if not condition:
        raise IncorrectError(
            "请在网址里写 id 或条件", "write an id, or a condition such as ?identifier=system|value, in the address", where=rtype
        )
    found = await sole_match(call, rtype, condition)
    if found is not None and own_id is not None and own_id != found.id:
        raise IncorrectError(
            "资源里的 id 与条件找到的不一致", "the id in the resource is not that of the match; leave it out", where=f"{rtype}.id"
        )
    new_id = call.doors.new_id()
    return Entry({**resource, "id": new_id}, f"urn:uuid:{new_id}", "PUT", expected, condition)


async def named_target(call: Call, rtype: str, asked: str) -> Target:
    """Return what an update of an id writes.

    An id under which the caller sees nothing is a name of the caller's own and gets an id made from both, whether it is taken by somebody
    else or free: the two cannot be told apart. An id whose resource the caller may know to be deleted is taken up again.
    """
    for own_id in (asked, own_name(call, rtype, asked)):
        found = await call.doors.store.lookup(call.scope, rtype, [("_id", own_id)])
        if found:
            return Target(rtype, own_id, found[0])
    try:
        await call.doors.store.read(call.scope, rtype, asked)
    except NotFoundError as error:
        if error.http_status == 410:
            return Target(rtype, asked, None)
    return Target(rtype, own_name(call, rtype, asked), None)


def own_name(call: Call, rtype: str, asked: str) -> str:
    """Return the id of what this caller names `asked`."""
    return uuid5_of(f"{OWN_API}/{call.scope.account_no}", f"{rtype}/{asked}")


def if_match(text: str | None) -> int | None:
    """Return the version of an If-Match, None where there is none.  Raises: IncorrectError."""
    if text is None:
        return None
    found = _VERSION_TAG.fullmatch(text)
    if found is None:
        raise IncorrectError('请写 If-Match: W/"版本号"', 'write If-Match: W/"version"', where="If-Match")
    return int(found[1])


def refused(problems: tuple[EntryProblem, ...], language: str, *, is_conditional: bool) -> XinglinError:
    """Return the refusal of a message: the first problem decides the status, all of them are told."""
    first = problems[0]
    if first.reason == "conflict":
        words = first.zh, first.en
        return ConflictError(*words, where=first.path, status=412 if is_conditional else 409)
    told_zh = "；".join(f"{problem.path}: {problem.zh}" for problem in problems[1:20])
    told_en = "; ".join(f"{problem.path}: {problem.en}" for problem in problems[1:20])
    status = _STATUS_OF_REASON.get(first.reason, 422)
    return IncorrectError(
        "；".join(part for part in (first.zh, told_zh) if part), "; ".join(part for part in (first.en, told_en) if part), where=first.path,
        status=status,
    )  # fmt: skip


def location(call: Call, outcome: Outcome) -> str:
    """Return the address of the version a write made."""
    return f"{call.base}/{outcome.rtype}/{outcome.id}/_history/{outcome.version}"


def entry_type(url: str) -> tuple[str, str | None, str]:
    """Return (type, id or None, query) of an entry's request.url.  Raises: IncorrectError, UnsupportedError."""
    path, _, query = url.partition("?")
    rtype, _, own_id = path.strip("/").partition("/")
    if rtype not in RESOURCE_TYPES:
        raise UnsupportedError("request.url 须以资源类型开头", "request.url begins with a resource type, such as Patient/1", status=404)
    return rtype, own_id or None, query


def is_conditional(call: Call) -> bool:
    """Whether a write asked for a state of things, so that a conflict with it is a failed precondition."""
    headers = call.request.headers
    return "if-match" in headers or "if-none-exist" in headers


async def _submit_one(call: Call, content: bytes, entry: Entry) -> Response:
    receipt = await submit(call, content, [entry], atomic=True)
    if receipt.problems:
        raise refused(receipt.problems, language_of(call.request), is_conditional=is_conditional(call))
    outcome = receipt.outcomes[0]
    if outcome is None:
        raise ConflictError("没有保存；请重试", "it was not stored; try again", where=entry.resource["resourceType"])
    return await _answer_write(call, outcome, receipt.warnings)


async def _answer_write(call: Call, outcome: Outcome, warnings: Sequence[EntryProblem]) -> Response:
    """Answer with what Prefer asks for; the present bytes are read like any others, inside the scope and audited."""
    status = 201 if outcome.status == "created" else 200
    headers = {"location": location(call, outcome), "etag": f'W/"{outcome.version}"'}
    kind = wants(call.request, "representation")
    if kind == "representation":
        try:
            entry = await call.doors.store.vread(call.scope, outcome.rtype, outcome.id, outcome.version)
        except NotFoundError:
            return answer(b"", status, headers)
        return answer(entry.body, status, headers | version_headers(entry))
    if kind == "minimal":
        return answer(b"", status, headers)
    return answer(encode(stored_outcome(warnings, language_of(call.request))), status, headers)


def stored_outcome(warnings: Sequence[EntryProblem], language: str) -> dict[str, Any]:
    """Return the OperationOutcome of what was stored: a warning for each thing to be looked at all the same, else that all is well."""
    if warnings:
        return operation_outcome([Problem(one.path, "business-rule", "warning", one.zh, one.en) for one in warnings], language)
    text = "stored" if language == "en" else "已保存"
    issue = {"severity": "information", "code": "informational", "details": {"text": text}}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
