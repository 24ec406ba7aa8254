"""How this agent is, told with every batch of rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from contracts.site_link.configuration import ConfigurationState
from contracts.site_link.health import Health
from contracts.site_link.messages import PROTOCOL_VERSION
from contracts.time import Clock
from site_agent.flows.control.control_loop import Cycle


class AgentHealth:
    """Made when the program starts: its uptime counts from then.

    `waiting`: rows in the outbox; `last_gap`: what it last had to drop.
    """

    def __init__(
        self,
        version: str,
        clock: Clock,
        *,
        waiting: Callable[[], int],
        last_gap: Callable[[], str],
        latest: Callable[[], Cycle | None],
        configuration: Callable[[], ConfigurationState | None] = lambda: None,
    ) -> None:
        self._version = version
        self._clock = clock
        self._waiting = waiting
        self._last_gap = last_gap
        self._latest = latest
        self._configuration = configuration
        self._began_s = clock.monotonic()

    def now(self, clock_offset: timedelta | None) -> Health:
        """At this moment; `clock_offset`: the gateway's clock less ours, None: not known."""
        cycle = self._latest()
        mode = None if cycle is None else cycle.mode
        return Health(
            agent_version=self._version,
            protocol=PROTOCOL_VERSION,
            uptime_s=self._clock.monotonic() - self._began_s,
            waiting_rows=self._waiting(),
            clock_offset_s=None if clock_offset is None else clock_offset.total_seconds(),
            mode="" if mode is None else mode.mode.value,
            last_gap=self._last_gap(),
            configuration=self._configuration(),
        )
