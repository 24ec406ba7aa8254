"""A site that has decided once, its inputs, and its registers for control centres."""

from __future__ import annotations

import struct

from contracts.testing import FakeClock
from site_agent.domain.decide.control import DEFAULT_POLICY, decide
from site_agent.domain.instruction import Bounds
from site_agent.domain.protect.telecontrol import InputSpec
from site_agent.flows.control.control_loop import Cycle
from site_agent.flows.orders.telecontrol import Telecontrol
from site_agent.scada.limits import LimitRegisters
from site_agent.scada.map import MEASUREMENT_SIZE, MEASUREMENTS, SPOTS
from site_agent.scada.registers import SiteRegisters
from site_agent.scada.requests import answer
from site_agent.store.memory import MemoryKeyValues
from support.site import NOON, battery, charger, envelope, need, snapshot

SPEC = InputSpec(
    input_id="rtu",
    by="network operator",
    valid_for_s=60.0,
    keep_s=300.0,
    fail_safe=Bounds(export_w=0.0),
)
DEPOT = snapshot(
    building_w=20_000,
    chargers=[charger("a", drawn_a=16.0, limit_a=16.0)],
    batteries=[battery(power_w=-5_000, soc_pct=40.6)],
    needs=[need("a")],
)


class Bench:
    """A site that has decided once, its inputs and its registers."""

    def __init__(
        self,
        *,
        writable: bool = True,
        of_w: float | None = 100_000.0,
        memory: MemoryKeyValues | None = None,
    ) -> None:
        self.clock = FakeClock(NOON)
        self.memory = memory or MemoryKeyValues()
        self.inputs = Telecontrol([SPEC], self.memory, self.clock, lambda: None)
        self.cycle: Cycle | None = Cycle(
            snapshot=DEPOT, decision=decide(DEPOT, envelope(DEPOT.model))
        )
        self.writable = writable
        self.restart(of_w=of_w)

    def restart(self, *, of_w: float | None = 100_000.0) -> None:
        """The registers anew, from what the inputs remember."""
        limits = LimitRegisters(self.inputs, "rtu", of_w) if self.writable else None
        self.registers = SiteRegisters(lambda: self.cycle, limits, self.clock, DEFAULT_POLICY)

    def ask(self, pdu: str, *, may_write: bool = True) -> str:
        return answer(bytes.fromhex(pdu), self.registers, may_write=may_write).hex()

    @property
    def bounds(self) -> Bounds:
        return self.inputs.standing("rtu").order.bounds

    def number(self, point: str) -> tuple[int, int, int]:
        """(value, quality, age) of a measurement."""
        place = next(n for n, spot in enumerate(SPOTS) if spot.point == point)
        reply = answer(
            struct.pack(">BHH", 4, MEASUREMENTS + MEASUREMENT_SIZE * place, MEASUREMENT_SIZE),
            self.registers,
            may_write=False,
        )
        value, quality, age = struct.unpack(">iHH", reply[2:])
        return value, quality, age
