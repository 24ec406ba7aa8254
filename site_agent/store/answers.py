"""Answers that are kept, on SQLite."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from site_agent.flows.fleet.answers import KeptAnswer
from site_agent.store.database import Database


class SqliteAnswers:
    """`site_agent.flows.fleet.answers.AnswerStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, holder: str, key: str) -> KeptAnswer | None:
        """The answer kept under this key, or None."""
        query = (
            "SELECT digest, status, headers, body FROM fleet_answer WHERE holder = ? AND key = ?"
        )
        found = await self._database.run(lambda c: c.execute(query, (holder, key)).fetchone())
        if found is None:
            return None
        digest, status, headers, body = found
        return KeptAnswer(digest=digest, status=status, headers=json.loads(headers), body=body)

    async def keep(
        self, holder: str, key: str, answer: KeptAnswer, at: datetime, forget_before: datetime
    ) -> None:
        """Durable when it returns; older answers than `forget_before` are forgotten."""
        headers = json.dumps(dict(answer.headers))
        row = (holder, key, answer.digest, at.isoformat(), answer.status, headers, answer.body)

        def work(connection: sqlite3.Connection) -> None:
            old = (forget_before.isoformat(),)
            connection.execute("DELETE FROM fleet_answer WHERE at < ?", old)
            connection.execute("INSERT OR REPLACE INTO fleet_answer VALUES (?,?,?,?,?,?,?)", row)

        await self._database.run(work)
