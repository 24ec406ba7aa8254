"""Heartbeats of a DER: 715.DERHb and 802.Hb count up by the second, and the controller's answer.

A device with a watch of `within_s` drops its setpoint once the controller's own counter
(715.ControllerHb or 802.CtrlHb) has stood still for so long. It begins to watch with the first
change: a controller that has never beaten is none.
"""

from __future__ import annotations

from collections.abc import Callable

from depot_sim.sunspec.image import Image, Value

DER_MODEL = 715
_COUNTERS = {DER_MODEL: ("DERHb", "ControllerHb", 2**32 - 1), 802: ("Hb", "CtrlHb", 2**16 - 1)}


def points() -> dict[str, Value]:
    """Constants of model 715: under remote control, no alarm to reset, started."""
    return {"LocRemCtl": 0, "DERHb": 0, "ControllerHb": 0, "AlarmReset": 0, "OpCtl": 1}


class Heartbeat:
    """The counters in an image, of the models it has."""

    def __init__(
        self, image: Image, elapsed: Callable[[], float], within_s: float | None = None
    ) -> None:
        self._image = image
        self._elapsed = elapsed
        self._within_s = within_s
        self._models = [of for of in _COUNTERS if image.names(of)]
        self._heard = self._counters()
        self._heard_s: float | None = None

    def refresh(self) -> None:
        """Put what a client should read now."""
        for of in self._models:
            ours, _, modulus = _COUNTERS[of]
            self._image.put(of, ours, int(self._elapsed()) % modulus)

    def written(self) -> None:
        """A client has written something: perhaps its counter."""
        counters = self._counters()
        if counters != self._heard:
            self._heard, self._heard_s = counters, self._elapsed()

    def missed(self) -> bool:
        """Whether the controller has been silent for too long; True once for each silence."""
        if self._heard_s is None or self._within_s is None:
            return False
        if self._elapsed() - self._heard_s < self._within_s:
            return False
        self._heard_s = None
        return True

    def _counters(self) -> list[float]:
        return [self._image.get(of, _COUNTERS[of][1]) for of in self._models]
