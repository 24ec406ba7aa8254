"""What was pushed to sites, on the database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlmodel import Session, col, func, select

from gateway.domain.configuration import OPEN, UNTRIED, Pushed, Stage, moved
from gateway.store.database import Database, upsert
from gateway.store.documents import Codec
from gateway.store.tables import SiteConfigurationRow

_PUSHED = Codec(Pushed)


class SqlConfigurationBook:
    """`gateway.ports.ConfigurationBook`; see there for what each method means."""

    def __init__(self, database: Database) -> None:
        self._read = database.read
        self._write = database.write

    async def add(self, pushes: Sequence[Pushed]) -> Sequence[Pushed]:
        """Keep new ones, numbered."""

        def work(session: Session) -> Sequence[Pushed]:
            added = [replace(one, revision=_next(session, one.site_id)) for one in pushes]
            for one in added:
                _put(session, [*_superseded(session, one), one])
            return added

        return await self._write(work)

    async def save(self, pushes: Sequence[Pushed]) -> None:
        """Replace what is known of these."""
        if pushes:
            await self._write(lambda s: _put(s, pushes))

    async def open(self) -> Sequence[Pushed]:
        """All that go on, and those of the same rollouts."""
        rollouts = select(SiteConfigurationRow.rollout).where(
            col(SiteConfigurationRow.stage).in_([stage.value for stage in OPEN])
        )
        query = (
            select(SiteConfigurationRow)
            .where(col(SiteConfigurationRow.rollout).in_(rollouts))
            .order_by(col(SiteConfigurationRow.site_id), col(SiteConfigurationRow.revision))
        )
        return await self._read(lambda s: [_load(row) for row in s.exec(query)])

    async def history(self, site_id: str) -> Sequence[Pushed]:
        """All of one site, in order."""
        query = (
            select(SiteConfigurationRow)
            .where(SiteConfigurationRow.site_id == site_id)
            .order_by(col(SiteConfigurationRow.revision))
        )
        return await self._read(lambda s: [_load(row) for row in s.exec(query)])


def _next(session: Session, site_id: str) -> int:
    newest = select(func.max(SiteConfigurationRow.revision)).where(
        SiteConfigurationRow.site_id == site_id
    )
    return (session.exec(newest).one() or 0) + 1


def _superseded(session: Session, by: Pushed) -> list[Pushed]:
    query = select(SiteConfigurationRow).where(
        SiteConfigurationRow.site_id == by.site_id,
        col(SiteConfigurationRow.stage).in_([stage.value for stage in UNTRIED]),
    )
    why = f"{by.configuration_id} took its place"
    found = [_load(row) for row in session.exec(query)]
    return [moved(one, Stage.SUPERSEDED, by.pushed_at, why) for one in found]


def _put(session: Session, pushes: Sequence[Pushed]) -> None:
    values = [
        {
            "site_id": one.site_id,
            "revision": one.revision,
            "rollout": one.rollout,
            "stage": one.stage.value,
            "document": _PUSHED.dump(one),
        }
        for one in pushes
    ]
    session.connection().execute(upsert(session, SiteConfigurationRow), values)


def _load(row: SiteConfigurationRow) -> Pushed:
    return _PUSHED.load(row.document)
