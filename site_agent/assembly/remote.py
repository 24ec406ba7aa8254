"""Settings from the gateway: who takes them, and what is looked at before and after."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from contracts.time import Clock
from site_agent.assembly.deciding import Deciding
from site_agent.config import SiteSettings
from site_agent.config.remote import LocalFile
from site_agent.domain.quiet import unquiet
from site_agent.domain.site import SiteSnapshot
from site_agent.flows.orders.configuration import RemoteConfiguration
from site_agent.flows.orders.configuration_needs import Sight
from site_agent.store.folder import make_folder
from site_agent.store.remote import RecordFile

Remote = RemoteConfiguration[SiteSettings]
METER = "meter"


def make_remote(local: LocalFile, clock: Clock) -> Remote | None:
    """Who takes settings from the gateway; None: this site has none, or its owner wants none.

    Raises:
        ConfigError: the data folder cannot be used.
    """
    settings = local.settings
    if settings.link is None or not settings.remote.accept:
        return None
    make_folder(settings.data)
    return RemoteConfiguration(local, RecordFile(settings.data), clock, settings.remote.trial_s)


def sight(settings: SiteSettings, deciding: Deciding, connected: Callable[[], bool]) -> Sight:
    """What can be seen of one life of an agent; nothing is quiet before its first decision."""
    ahead = timedelta(seconds=settings.remote.trial_s + 60)

    def quiet() -> bool:
        cycle = deciding.latest()
        if cycle is None or cycle.mode is None:
            return False
        held = deciding.instructions.held
        return not unquiet(cycle.snapshot, cycle.mode.mode, held, ahead)

    def online() -> frozenset[str]:
        snapshot = deciding.snapshot()
        return frozenset() if snapshot is None else heard(snapshot)

    return Sight(quiet=quiet, connected=connected, online=online)


def heard(snapshot: SiteSnapshot) -> frozenset[str]:
    """Every device that answers, and the meter while its reading can be used."""
    chargers = {one.spec.evse_id for one in snapshot.chargers if one.online}
    batteries = {one.spec.battery_id for one in snapshot.batteries if one.online}
    pv = {one.spec.pv_id for one in snapshot.pv if one.online}
    meter = snapshot.pcc.power_w.fresh(snapshot.at, snapshot.model.meter_max_age)
    return frozenset(chargers | batteries | pv | (set() if meter is None else {METER}))
