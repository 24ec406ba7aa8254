"""Contacts of the network operator's receiver, read from a remote I/O module.

When the agent dies nothing happens to them; setpoints lapse in the devices. When the module dies
nothing is heard any more, and the input ends as its settings declare.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from contracts.time import Clock
from site_agent.devices.modbus.link import Priority, RegisterLink
from site_agent.devices.modbus.plan import Span, Table, plan
from site_agent.devices.polling import Poller
from site_agent.domain.protect.telecontrol import Contact, Order, order_of, steadied
from site_agent.ports import Wake

_GAP, _MAX_BLOCK = 16, 256


class Contacts:
    """Polls contacts and tells their order each time; `idle` while none is active (None: lost)."""

    def __init__(
        self,
        link: RegisterLink,
        unit: int,
        table: Table,
        contacts: Mapping[int, Contact],
        *,
        name: str,
        idle: Order | None,
        heard: Callable[[Order], None],
        period_s: float,
        clock: Clock,
        wake: Wake,
    ) -> None:
        self._link = link
        self._unit = unit
        self._contacts = contacts
        self._blocks = plan(
            [Span(table, address, 1) for address in contacts], gap=_GAP, max_block=_MAX_BLOCK
        )
        self._idle = idle
        self._heard = heard
        self._held: Order | None = None
        self._before: Order | None = None
        self._poller = Poller(name, self._poll, period_s=period_s, clock=clock, wake=wake)

    async def run(self) -> None:
        """Poll until cancelled."""
        await self._poller.run()

    async def _poll(self) -> None:
        closed: dict[int, bool] = {}
        for block in self._blocks:
            states = await self._link.read(self._unit, block, priority=Priority.FAST)
            closed |= dict(enumerate(map(bool, states), block.address))
        told = tuple(closed[address] for address in self._contacts)
        seen = order_of(tuple(self._contacts.values()), told) or self._idle
        if seen is not None:
            self._held = steadied(self._held, seen, self._before)
            self._heard(self._held)
        self._before = seen
