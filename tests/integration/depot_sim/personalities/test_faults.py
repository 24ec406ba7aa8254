"""Faults of a charger without oddities, as the central system sees them."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from depot_sim.faults import FaultKind
from support.scribe import Scribe, profile
from support.waiting import until


async def test_reboot_by_itself(scribe: Scribe, odd: Any) -> None:
    async with odd() as charger:
        charger.fail(FaultKind.REBOOT, 3)
        await until(lambda: bool(scribe.ended(1)))
        name, boot = scribe.said(1)[0]
        assert name == "BootNotification"
        assert boot.get("reason", "Watchdog") == "Watchdog"


async def test_lag_and_a_wrong_clock(scribe: Scribe, odd: Any, clock: Any) -> None:
    async with odd() as charger:
        charger.fail(FaultKind.WRONG_CLOCK, None, -7200.0)
        charger.fail(FaultKind.LAG, None, 4.0)
        begun = clock.now()
        assert (await scribe.ask("SetChargingProfile", profile(scribe.version, 10)))[0] == 3
        assert clock.now() - begun >= timedelta(seconds=8)
        expected = clock.now() - timedelta(hours=2)

        def newest() -> datetime:
            return datetime.fromisoformat(scribe.metered()[-1]["timestamp"])

        await until(lambda: abs(newest() - expected) < timedelta(minutes=30))


async def test_a_stuck_meter(scribe: Scribe, odd: Any, clock: Any) -> None:
    async with odd() as charger:
        charger.fail(FaultKind.FREEZE, None)
        await clock.sleep(2)
        seen = len(scribe.metered())
        await until(lambda: len(scribe.metered()) >= seen + 4)
        shown = {json.dumps(value["sampledValue"]) for value in scribe.metered()[seen + 1 :]}
        assert len(shown) == 1
        assert charger.power_w > 0.0
