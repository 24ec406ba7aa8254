"""The commissioning checklist, run on a real charger through the agent that will control it.

Every step tells PASS, FAIL or NOT TRIED and what to do. Nothing here allows more current than the
control loop does; what is lowered for a step is given back after it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator

from contracts.time import Clock
from site_agent.devices.ocpp.operate.checks import Checks, tried
from site_agent.devices.ocpp.operate.steps import Step, failed, not_tried, passed
from site_agent.devices.ocpp.operate.trials import Trials
from site_agent.devices.ocpp.security import Profile
from site_agent.devices.ocpp.station import Station


async def check_in(
    station: Station, number: int, clock: Clock, *, profile: Profile, tls: bool, reboot: bool
) -> AsyncGenerator[Step, None]:
    """Every step for one EVSE, in order; the first decides whether there is anything to check.

    `tls`: the server speaks `wss`; `reboot`: the charger may be restarted at the end.
    """
    link = station.link
    if link is None or not link.ready:
        yield failed(
            "connected",
            "the charger is not connected" if link is None else "it has only just connected",
            "check its central system URL, its id and its password; the agent's log names every "
            "charger it refuses",
        )
        return
    checks = Checks(station, number, clock, profile=profile, tls=tls)
    yield passed("connected", f"since {station.trace.connected_at:%Y-%m-%d %H:%M:%SZ}")
    yield checks.identity()
    yield checks.security()
    yield passed("version", link.dialect.version.value)
    yield await tried("settings", checks.settings, link)
    yield await tried("sampling", checks.sampling, link)
    yield await tried("measurands", checks.measurands, link)
    yield checks.clock_right()
    yield checks.smart_charging(link)
    yield checks.resting()
    yield await tried("composite schedule", checks.composite, link)
    yield await tried("remote trigger", checks.trigger, link)
    yield await tried("local list", checks.local_list, link)
    async for step in Trials(station.evses[number], clock).run():
        yield step
    if station.evses[number].knowledge.spikes:
        yield checks.spikes()
    if reboot and station.link is not None:
        yield await tried("reboot", checks.rebooted, station.link)
    else:
        yield not_tried("reboot", "say --reboot to restart the charger")
