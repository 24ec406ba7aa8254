"""What a wire must offer so that natures can be made of it."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from site_agent.devices.points.board import PointBoard


class Source(Protocol):
    """One device on one wire."""

    @property
    def board(self) -> PointBoard:
        """Its newest readings."""
        ...

    @property
    def answers(self) -> bool:
        """Whether the device answers (or has spoken lately, where it speaks by itself)."""
        ...

    async def run(self) -> None:
        """Keep the board filled until cancelled; never gives up."""
        ...


@runtime_checkable
class Controllable(Source, Protocol):
    """A source that takes setpoints."""

    @property
    def lapse_s(self) -> float | None:
        """Seconds after which the device drops a setpoint by itself; None: it never does."""
        ...

    async def write(self, control: str, value: float | None) -> None:
        """Write a control of `vocabulary.CONTROLS` with the device's own timer; None releases it.

        Returns when the device has confirmed it, by read-back or acknowledgement.

        Raises:
            TransientError: not confirmed.
            PermanentError: refused, or the device has no such control.
        """
        ...
