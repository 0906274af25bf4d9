"""Tasks of a resident: the result of a referral is asked for and written down."""

from __future__ import annotations

from typing import Final

import orjson
from starlette.responses import Response

from xinglin.base.errors import ConflictError, IncorrectError, NotFoundError
from xinglin.web.modules import part_of_module
from xinglin.web.page import Visit, page, redirect
from xinglin.web.recording import insist, submit

_OPEN: Final = ("requested", "received", "accepted", "ready", "in-progress", "on-hold")


async def answer_referral(visit: Visit) -> Response:
    """Write down what became of a referral; the task and the request are done."""
    person, own = visit.request.path_params["person"], visit.request.path_params["task"]
    told = str((await visit.form()).get("result", "")).strip()
    if not told:
        raise IncorrectError("请写转诊结果", "write what became of the referral", where="result")
    stored = await visit.platform.store.person_bodies(visit.scope, person, ("Task", "ServiceRequest"))
    bodies = {f"{one.rtype}/{one.id}": orjson.loads(one.body) for one in stored}
    task = bodies.get(f"Task/{own}")
    if task is None:
        raise NotFoundError("没有这项待办", "there is no such task")
    if task.get("status") not in _OPEN:
        raise ConflictError("这项待办已经完成，请刷新页面", "this task is done already: reload the page")
    request = bodies.get(str(task.get("focus", {}).get("reference", "")))
    insist(await submit(visit, "referral-result", part_of_module("chronic_disease.recording").referral_result_entries(task, request, told)))
    await visit.platform.rules.evaluate_person(person, visit.platform.clock.today())
    return redirect(visit, f"/residents/{person}?told=1")


ROUTES: Final = (page("/residents/{person:int}/tasks/{task}", answer_referral, right=("followup.write", "refer"), methods=("POST",)),)
MENU: Final = ()
