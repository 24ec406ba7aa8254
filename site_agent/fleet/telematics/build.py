"""From the settings to the providers that are asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from functools import partial

import httpx

from contracts.time import Clock
from site_agent.config.fleet_systems import FleetSystemsSettings, GeotabSettings, SamsaraSettings
from site_agent.domain.fleet.facts import Source
from site_agent.fleet.telematics.geotab import Account, Geotab
from site_agent.fleet.telematics.poller import Poller, Rhythm
from site_agent.fleet.telematics.samsara import Samsara
from site_agent.fleet.telematics.secrets import secret
from site_agent.fleet.telematics.seen import Provider
from site_agent.fleet.telematics.web import Web
from site_agent.flows.fleet.roster import LiveRoster
from site_agent.ports import KeyValues

Make = Callable[[Web], Provider]


async def run_poller(
    source: Source,
    settings: GeotabSettings | SamsaraSettings,
    roster: LiveRoster,
    memory: KeyValues,
    clock: Clock,
    note: Callable[[str], None],
) -> None:
    """Ask one provider until cancelled; `note` as in `Poller.run`."""
    rhythm = Rhythm(
        states_s=settings.every_s,
        routes_s=settings.routes_every_s if settings.routes else None,
    )
    async with provider_of(settings, clock) as provider:
        await Poller(source, provider, roster, memory, clock, rhythm, settings.vehicles).run(note)


@asynccontextmanager
async def provider_of(
    settings: GeotabSettings | SamsaraSettings, clock: Clock
) -> AsyncIterator[Provider]:
    """The provider, while the block runs."""
    async with httpx.AsyncClient() as client:
        web = Web(client)
        if isinstance(settings, SamsaraSettings):
            token = partial(secret, settings.token_file, settings.token_env)
            yield Samsara(web, settings.url, token)
        else:
            password = partial(secret, settings.password_file, settings.password_env)
            account = Account(database=settings.database, user=settings.user, password=password)
            yield Geotab(web, settings.url, account, clock)


def configured(
    settings: FleetSystemsSettings,
) -> Iterator[tuple[Source, GeotabSettings | SamsaraSettings]]:
    """The providers that the settings name."""
    if settings.geotab is not None:
        yield Source.GEOTAB, settings.geotab
    if settings.samsara is not None:
        yield Source.SAMSARA, settings.samsara
