"""Whether a device does what its registers say: judged by measured power alone."""

from __future__ import annotations


class Obedience:
    """Compares measured power with the setpoint in force.

    A device has `settle_s` after each new setpoint; then `strikes` deviations in a row beyond
    `tolerance_w` make it disobedient, and one measurement within it makes it obedient again.
    """

    def __init__(self, *, tolerance_w: float, settle_s: float = 10.0, strikes: int = 3) -> None:
        self._tolerance_w = tolerance_w
        self._settle_s = settle_s
        self._strikes = strikes
        self._count = 0
        self._settled_s = float("inf")
        self.obeys = True

    def expect(self, now_s: float) -> None:
        """Another setpoint is in force."""
        self._settled_s = now_s + self._settle_s
        self._count = 0

    def excuse(self) -> None:
        """No setpoint is in force."""
        self._settled_s = float("inf")
        self._count = 0
        self.obeys = True

    def observe(self, deviation_w: float, now_s: float) -> bool:
        """Take a measurement; returns True when the device has just become disobedient."""
        if now_s < self._settled_s:
            return False
        if abs(deviation_w) <= self._tolerance_w:
            self._count, self.obeys = 0, True
            return False
        self._count += 1
        caught = self.obeys and self._count >= self._strikes
        self.obeys = self.obeys and not caught
        return caught
