"""What was offered and what was nominated: `gateway.ports.NominationBook` on a database."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import delete
from sqlalchemy import select as select_values
from sqlmodel import Session, col, func, select
from sqlmodel.sql.expression import SelectOfScalar

from contracts.time import Interval
from gateway.domain.nomination.history import Offered
from gateway.domain.nomination.nomination import Decision, Nomination, Status
from gateway.store import documents
from gateway.store.database import Database, insert_into, insert_once
from gateway.store.instants import from_micros, micros
from gateway.store.tables import NominationDecisionRow, NominationRow, OfferedHourRow, table

_AT_ONCE = 500
"""Hours in one statement; a database takes no more than some thousand values."""
_O = table(OfferedHourRow).c
_OFFERED = select_values(_O.hour_us, _O.site_id, _O.down_w, _O.sure_w, _O.expected_w, _O.out)


class SqlNominations:
    """One transaction a method; see the port for what each means."""

    def __init__(self, database: Database) -> None:
        self._read = database.read
        self._write = database.write

    async def record(self, offered: Sequence[Offered]) -> None:
        """Keep what sites offered; of an hour of a site the first word stands."""
        rows = [
            {
                "hour_us": micros(one.start),
                "site_id": one.site_id,
                "down_w": one.down_w,
                "sure_w": one.sure_w,
                "expected_w": one.expected_w,
                "out": one.out,
            }
            for one in offered
        ]

        def work(session: Session) -> None:
            if rows:
                insert = insert_into(session, OfferedHourRow).on_conflict_do_nothing()
                session.connection().execute(insert, rows)

        await self._write(work)

    async def offered(self, hours: Collection[datetime]) -> Sequence[Offered]:
        """What every site offered in these whole hours, by hour and site."""
        wanted = sorted(micros(hour) for hour in hours)

        def work(session: Session) -> Sequence[Offered]:
            found: list[Offered] = []
            for first in range(0, len(wanted), _AT_ONCE):
                some = wanted[first : first + _AT_ONCE]
                query = _OFFERED.where(_O.hour_us.in_(some)).order_by(_O.hour_us, _O.site_id)
                found += [
                    Offered(
                        site_id=site_id,
                        start=from_micros(hour_us),
                        down_w=down_w,
                        sure_w=sure_w,
                        expected_w=expected_w,
                        out=out,
                    )
                    for hour_us, site_id, down_w, sure_w, expected_w, out in (
                        session.connection().execute(query)
                    )
                ]
            return found

        return await self._read(work)

    async def forget(self, before: datetime) -> int:
        """Drop the hours that began before an instant; how many rows these were."""
        statement = delete(table(OfferedHourRow)).where(_O.hour_us < micros(before))
        return await self._write(lambda s: s.connection().execute(statement).rowcount)

    async def add(self, one: Nomination, request: str | None = None) -> bool:
        """Keep a new nomination; False: one of this id, or of this request, is there already."""
        bare = documents.NOMINATION.dump(replace(one, decisions=()))
        row = NominationRow(
            nomination_id=one.nomination_id,
            program_id=one.program_id,
            start_us=micros(one.period.start),
            end_us=micros(one.period.end or one.period.start),
            revision=one.revision,
            request=request,
            document=bare,
        )

        def work(session: Session) -> bool:
            if not insert_once(session, NominationRow, row):
                return False
            session.add_all(
                _step(one.nomination_id, number, step) for number, step in enumerate(one.decisions)
            )
            return True

        return await self._write(work)

    async def decide(self, decisions: Sequence[tuple[str, Decision]]) -> None:
        """Add a step to each of these nominations: all of them, or none."""

        def work(session: Session) -> None:
            for nomination_id, step in decisions:
                count = select(func.count()).where(
                    NominationDecisionRow.nomination_id == nomination_id
                )
                session.add(_step(nomination_id, session.exec(count).one(), step))
                session.flush()

        await self._write(work)

    async def nomination(self, nomination_id: str) -> Nomination | None:
        """One nomination with its steps."""
        query = select(NominationRow).where(NominationRow.nomination_id == nomination_id)
        return next(iter(await self._found(query)), None)

    async def requested(self, request: str) -> Nomination | None:
        """The nomination that was made for a request, by its idempotency key."""
        query = select(NominationRow).where(NominationRow.request == request)
        return next(iter(await self._found(query)), None)

    async def nominations(
        self, program_id: str | None = None, window: Interval | None = None
    ) -> Sequence[Nomination]:
        """Those of a program (None: of all) whose period touches a window, newest period first."""
        query = select(NominationRow).order_by(
            col(NominationRow.start_us).desc(),
            col(NominationRow.program_id),
            col(NominationRow.revision).desc(),
        )
        if program_id is not None:
            query = query.where(NominationRow.program_id == program_id)
        if window is not None:
            query = query.where(col(NominationRow.end_us) > micros(window.start))
        if window is not None and window.end is not None:
            query = query.where(col(NominationRow.start_us) < micros(window.end))
        return await self._found(query)

    async def _found(self, query: SelectOfScalar[NominationRow]) -> Sequence[Nomination]:
        def work(session: Session) -> Sequence[Nomination]:
            rows = session.exec(query).all()
            steps = _steps(session, [row.nomination_id for row in rows])
            return [
                replace(
                    documents.NOMINATION.load(row.document),
                    decisions=steps[row.nomination_id],
                )
                for row in rows
            ]

        return await self._read(work)


def _step(nomination_id: str, number: int, step: Decision) -> NominationDecisionRow:
    return NominationDecisionRow(
        nomination_id=nomination_id,
        number=number,
        at_us=micros(step.at),
        status=step.status.value,
        by=step.by,
        cause=step.cause,
    )


def _steps(session: Session, ids: Iterable[str]) -> Mapping[str, tuple[Decision, ...]]:
    wanted = list(ids)
    found: dict[str, tuple[Decision, ...]] = {}
    for first in range(0, len(wanted), _AT_ONCE):
        some = wanted[first : first + _AT_ONCE]
        query = (
            select(NominationDecisionRow)
            .where(col(NominationDecisionRow.nomination_id).in_(some))
            .order_by(col(NominationDecisionRow.nomination_id), col(NominationDecisionRow.number))
        )
        for row in session.exec(query):
            step = Decision(
                at=from_micros(row.at_us), status=Status(row.status), by=row.by, cause=row.cause
            )
            found[row.nomination_id] = (*found.get(row.nomination_id, ()), step)
    return found
