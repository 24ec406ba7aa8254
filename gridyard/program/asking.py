"""What `gridyard program` reads of a gateway: its settings and its database."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from contracts.config import load
from contracts.errors import ConfigError
from contracts.site_link import points
from contracts.time import Interval
from gateway.config import GatewaySettings
from gateway.domain.candidates import conditions
from gateway.domain.enrolment import Enrolment
from gateway.domain.measure.placebo import Fairness
from gateway.domain.portfolio import Portfolio
from gateway.domain.program import Program, counters, version_at
from gateway.flows.events.calls import LOOK_BACK, history
from gateway.flows.report.fairness import site_fairness, when_called
from gateway.ports import StoredEvent
from gateway.store.database import Database
from gateway.store.ledger import SqlLedger
from gateway.store.telemetry import SqlTelemetry
from gridyard.program.telling import chosen

Answer = dict[str, Any]

_NOON, _DAY = timedelta(minutes=15), timedelta(days=1)


def counted(config: Path, name: str | None, now: datetime) -> list[Answer]:
    """Every quota of the programs in force, in the periods that hold `now`.

    Raises:
        ConfigError: settings or database cannot be read, or there is no such program.
    """
    settings = load(config, GatewaySettings)
    portfolio, programs = settings.portfolio(), _in_force(chosen(settings, name), now)
    events = asyncio.run(_events(settings, now))
    return [
        {
            "program": program.name,
            "program_id": program.program_id,
            "version": program.version,
            "of": one.of,
            "unit": one.quota.unit.value,
            "per": one.quota.per.value,
            "first": one.first.isoformat(),
            "last": one.last.isoformat(),
            "used": one.used,
            "limit": one.quota.limit,
            "left": one.left,
        }
        for program in programs
        for one in counters(program, history(portfolio, program.program_id, events), now)
    ]


def eligible(config: Path, name: str | None, site: str | None, now: datetime) -> list[Answer]:
    """Every enrolment of the settings with its conditions; meter history is the gateway's own.

    Raises:
        ConfigError: settings cannot be read, or there is no such program or enrolment.
    """
    settings = load(config, GatewaySettings)
    portfolio = settings.portfolio()
    programs = _in_force(chosen(settings, name), now)
    wanted = [
        (program, one)
        for program in programs
        for one in portfolio.enrolments
        if one.program_id == program.program_id and site in (None, one.site_id)
    ]
    if not wanted:
        raise ConfigError("no such enrolment in the settings")
    days = asyncio.run(_history_days(settings, {one.site_id for _, one in wanted}, now))
    predicted = asyncio.run(_predicted(settings, portfolio, wanted, now))
    return [
        _eligible(portfolio, program, one, days[one.site_id], now, predicted.get(one.site_id, {}))
        for program, one in wanted
    ]


def _eligible(
    portfolio: Portfolio,
    program: Program,
    one: Enrolment,
    days: int | None,
    now: datetime,
    predicted: Mapping[str, Fairness],
) -> Answer:
    return {
        "site_id": one.site_id,
        "program": program.name,
        "conditions": [
            {"about": c.about, "answer": c.answer.value, "text": c.text}
            for c in conditions(
                portfolio, program, one, days, now, predicted.get(program.program_id)
            )
        ],
    }


def _in_force(programs: Sequence[Program], now: datetime) -> list[Program]:
    """One version of each program: the one in force, or else the first to come."""
    by_id: dict[str, list[Program]] = {}
    for one in programs:
        by_id.setdefault(one.program_id, []).append(one)
    return [version_at(versions, now) or versions[0] for versions in by_id.values()]


async def _events(settings: GatewaySettings, now: datetime) -> Sequence[StoredEvent]:
    database = _database(settings)
    try:
        return await SqlLedger(database).events(ending_after=now - LOOK_BACK)
    finally:
        database.close()


async def _history_days(
    settings: GatewaySettings, sites: set[str], now: datetime
) -> dict[str, int | None]:
    """On how many of the last days that rules ask for a site's connection was measured at noon."""
    rules = [rule for one in settings.portfolio().programs for rule in one.rules.enrolment]
    asked = max((rule.history_days or 0 for rule in rules), default=0)
    if not asked or not _has_run(settings):
        return dict.fromkeys(sites)
    database = _database(settings)
    telemetry = SqlTelemetry(database, max_hold=_NOON)
    noon = now.astimezone(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    windows = [Interval.lasting(noon - back * _DAY, _NOON) for back in range(1, asked + 1)]
    try:
        return {
            site: sum(
                [
                    bool(len(await telemetry.series(site, points.PCC_POWER_W, window)))
                    for window in windows
                ]
            )
            for site in sites
        }
    finally:
        database.close()


async def _predicted(
    settings: GatewaySettings,
    portfolio: Portfolio,
    wanted: Sequence[tuple[Program, Enrolment]],
    now: datetime,
) -> dict[str, dict[str, Fairness]]:
    """By site and program: how a program's baseline does there, where its rules ask for it."""
    asked = [
        (program, site)
        for program, one in wanted
        if any(
            rule.accuracy_max is not None or rule.bias_max is not None
            for rule in program.rules.enrolment
        )
        and (site := portfolio.site(one.site_id)) is not None
    ]
    if not asked or not _has_run(settings):
        return {}
    database, found = _database(settings), dict[str, dict[str, Fairness]]()
    telemetry, ledger = SqlTelemetry(database, max_hold=_NOON), SqlLedger(database)
    try:
        for program, site in asked:
            tried = await site_fairness(
                portfolio, ledger, telemetry, site, [program.method], when_called(program), now
            )
            for one in tried:
                found.setdefault(site.site_id, {})[program.program_id] = one
    finally:
        database.close()
    return found


def _database(settings: GatewaySettings) -> Database:
    """The database of a gateway, running or stopped.

    Raises:
        ConfigError: there is none yet.
    """
    if not _has_run(settings):
        raise ConfigError(f"{settings.database}: no database yet; has this gateway ever run?")
    return Database.open(settings.database)


def _has_run(settings: GatewaySettings) -> bool:
    """Whether there is a database to be read; one at an address is made before the gateway runs."""
    return not isinstance(settings.database, Path) or settings.database.exists()
