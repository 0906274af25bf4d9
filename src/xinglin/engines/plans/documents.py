"""Uploaded documents and what people corrected in their readings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from xinglin.base.errors import NotFoundError
from xinglin.engines.plans.ground import PlanGround, account, kept_json, written
from xinglin.engines.plans.model import Document
from xinglin.engines.security import Scope


class Documents:
    """The door to tables `plan_document` and `plan_correction`."""

    def __init__(self, ground: PlanGround) -> None:
        self._ground = ground

    async def keep(self, scope: Scope, filename: str, content: bytes) -> Document:
        """Keep a document and return it; the same bytes sent again are the document that is kept.  Raises: ForbiddenError without `plan.edit`."""
        digest = hashlib.sha256(content).hexdigest()
        await self._ground.allow(scope, "plan.edit", "upload", f"document {digest[:12]}")
        async with self._ground.database.transaction() as connection:
            await connection.execute(
                """insert into plan_document (digest, filename, content, uploaded_at, uploaded_by, uploaded_name)
                   values ($1, $2, $3, $4, $5, $6) on conflict (digest) do nothing""",
                *(digest, written(filename, 300), content, self._ground.now(), account(scope), scope.display_name),
            )
            number: int = await connection.fetchval("select document_no from plan_document where digest = $1", digest)
        return await self.document(scope, number)

    async def document(self, scope: Scope, document_no: int) -> Document:
        """Return a document.  Raises: ForbiddenError without `plan.read`; NotFoundError."""
        _may_read(scope)
        query = "select document_no, digest, filename, content, uploaded_at, uploaded_name from plan_document where document_no = $1"
        async with self._ground.database.connection() as connection:
            row = await connection.fetchrow(query, document_no)
        if row is None:
            raise NotFoundError("没有这份文件", "there is no such document")
        return Document(**self._ground.told(row))

    async def corrections(self, scope: Scope, document_no: int) -> list[dict[str, Any]]:
        """Return the corrections of a document: fingerprint, action, changes, who and when."""
        _may_read(scope)
        query = "select fingerprint, action, changes, corrected_at, corrected_name from plan_correction where document_no = $1 order by corrected_at, fingerprint"
        async with self._ground.database.connection() as connection:
            rows = await connection.fetch(query, document_no)
        return [{**self._ground.told(row), "changes": orjson.loads(row["changes"])} for row in rows]

    async def correct(self, scope: Scope, document_no: int, corrections: Sequence[tuple[str, str, Mapping[str, Any]]]) -> None:
        """Keep corrections, each (fingerprint, action, changes); the last one of a fingerprint holds.  Raises: ForbiddenError."""
        await self._ground.allow(scope, "plan.edit", "correct", f"document {document_no} rows {len(corrections)}")
        now = self._ground.now()
        rows = [
            (document_no, written(one[0], 100), one[1], kept_json(one[2]), now, account(scope), scope.display_name) for one in corrections
        ]
        async with self._ground.database.transaction() as connection:
            await connection.executemany(
                """insert into plan_correction (document_no, fingerprint, action, changes, corrected_at, corrected_by, corrected_name)
                   values ($1, $2, $3, $4::jsonb, $5, $6, $7) on conflict (document_no, fingerprint) do update set
                   action = excluded.action, changes = excluded.changes, corrected_at = excluded.corrected_at,
                   corrected_by = excluded.corrected_by, corrected_name = excluded.corrected_name""",
                rows,
            )

    async def withdraw(self, scope: Scope, document_no: int, fingerprint: str) -> None:
        """Take a correction back.  Raises: ForbiddenError."""
        await self._ground.allow(scope, "plan.edit", "correct", f"document {document_no} withdrawn")
        async with self._ground.database.transaction() as connection:
            await connection.execute(
                "delete from plan_correction where document_no = $1 and fingerprint = $2", document_no, written(fingerprint, 100)
            )


def _may_read(scope: Scope) -> None:
    if not scope.is_house:
        scope.require("plan.read")
