"""Meters that do not say what flows."""

from __future__ import annotations

from typing import Any

from support.scribe import Scribe
from support.waiting import until


async def test_power_reads_zero(scribe: Scribe, odd: Any) -> None:
    async with odd("power-reads-zero"):
        await until(lambda: len(scribe.metered()) >= 4)
        values = [
            {s["measurand"]: float(s["value"]) for s in value["sampledValue"]}
            for value in scribe.metered()
        ]
        assert {value["Power.Active.Import"] for value in values} == {0.0}
        registers = [value["Energy.Active.Import.Register"] for value in values]
        assert registers[-1] > registers[0]
        assert "MeterValues" in scribe.names()


async def test_energy_only_and_dirty(scribe: Scribe, odd: Any) -> None:
    async with odd("energy-only-kwh", "dirty-samples"):
        samples = scribe.metered()[0]["sampledValue"]
        assert [sample["measurand"] for sample in samples] == [
            "Energy.Active.Import.Register",
            "Power.Active.Import",
        ]
