"""How messages, waiting entries and moments stand on the pages of 数据接入."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from xinglin.engines.exchange import MessageRow, WaitingRow, open_reasons
from xinglin.web.i18n import mark
from xinglin.web.lists import Tag
from xinglin.web.page import Visit

MESSAGE_STATES: Final = {
    "received": (mark("处理中"), "warn"),
    "stored": (mark("已入库"), "good"),
    "unchanged": (mark("无变化"), ""),
    "partly": (mark("部分入库"), "apricot"),
    "quarantined": (mark("待处理"), "bad"),
}
WAITING_STATES: Final = {"open": (mark("待处理"), "bad"), "replayed": (mark("已重放"), "good"), "discarded": (mark("已作废"), "")}
MESSAGE_KINDS: Final = {
    "bundle": mark("FHIR 报文"),
    "ndjson": mark("NDJSON 文件"),
    "page": mark("页面录入"),
    "form": mark("表单"),
    "rest": mark("接口"),
    "excel": mark("Excel 表"),
    "replay": mark("重放"),
    "erase": mark("删除个人信息"),
    "unreadable": mark("无法读取"),
}


def state_tag(visit: Visit, state: str, names: Mapping[str, tuple[str, str]]) -> Tag:
    """Return a state as a coloured word."""
    label, kind = names.get(state, (state, ""))
    return Tag(visit.text(label), kind)


def local(visit: Visit, instant: Any) -> str:
    """Return an instant as the district's minute, "" for None."""
    return instant.astimezone(visit.platform.clock.zone).strftime("%Y-%m-%d %H:%M") if instant else ""


async def source_options(visit: Visit) -> list[tuple[str, str]]:
    """Return the sources for a choice."""
    return [(source.code, source.name) for source in await visit.platform.exchange.ledger.sources()]


def message_row(visit: Visit, message: MessageRow) -> dict[str, object]:
    """Return a message as a row of a list."""
    return {
        **asdict(message),
        "received_at": local(visit, message.received_at),
        "state": state_tag(visit, message.state, MESSAGE_STATES),
        "kind": visit.text(MESSAGE_KINDS.get(message.kind, message.kind)),
        "link": f"/exchange/messages/{message.message_no}",
    }


def reason_names(visit: Visit) -> dict[str, str]:
    """Return reason code → name in the page's language."""
    return {code: visit.words.pick(chinese, english) for code, chinese, english in open_reasons()}


def waiting_row(visit: Visit, row: WaitingRow) -> dict[str, object]:
    """Return a waiting entry as a row of a list."""
    first = row.problems[0] if row.problems else {"zh": "", "en": "", "path": ""}
    return {
        **asdict(row),
        "opened_at": local(visit, row.opened_at),
        "closed_at": local(visit, row.closed_at),
        "reason": Tag(reason_names(visit).get(row.reason, row.reason), "warn"),
        "said": visit.words.pick(first["zh"], first["en"]) + (f" +{len(row.problems) - 1}" if len(row.problems) > 1 else ""),
        "place": visit.words.place(first["path"]),
        "state": state_tag(visit, row.state, WAITING_STATES),
        "link": f"/exchange/quarantine/{row.quarantine_no}",
        "message_link": f"/exchange/messages/{row.message_no}",
    }


def pretty(body: bytes) -> str:
    """Return JSON indented for reading; other text as it is."""
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except ValueError:
        return body.decode("utf-8", "replace")
