"""Whether a setpoint ends by itself in the device: what its timer shows, and what it really does.

Registers are only a claim. When a setpoint has been left to lapse (a cut link, a silent loop), the
measured power afterwards is the proof; it is remembered over restarts and outranks the claim.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from contracts.time import Clock
from site_agent.domain.device import Lapse
from site_agent.ports import KeyValues

LATE = 4 / 3
"""A device's timer may be a third late: counted on after so many times the lease."""
_REARMED = 2 / 3
_SLACK = 1.34
"""A timer this much longer than asked is still the one asked for (units, rounding, scan time)."""
_GRACE_S = 5.0
"""For ramps and for the poll itself."""
_KEY = "sunspec-lapse/"
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    """What a device shows of its reversion timer right after a write; s."""

    total_s: float | None
    """None: it has none."""
    remaining_s: float | None = None
    claimed: bool = True
    """False where the timer is known to be ignored by some devices that keep its register."""


def proven_lapse(configured: Lapse, asked_s: float, timer: Timer) -> Lapse:
    """What the device claims of its lapse; `configured` NONE is an operator who knows better.

    A remaining time below two thirds right after a write means that writing does not re-arm the
    timer, which the definitions leave open (sunspec/models issue 215).
    """
    if configured is Lapse.NONE or not timer.total_s:
        return Lapse.NONE
    if timer.total_s > asked_s * _SLACK or not timer.claimed:
        return Lapse.UNKNOWN
    if timer.remaining_s is not None and timer.remaining_s < asked_s * _REARMED:
        return Lapse.UNKNOWN
    return Lapse.DEVICE


@dataclass(slots=True)
class _Trial:
    """A setpoint that was told, and whether the device followed it while it was in force."""

    value_w: float
    told_s: float
    followed: bool = False


class LapseBook:
    """What is known of one device's lapse, from its settings, its registers and its deeds."""

    def __init__(
        self,
        device_id: str,
        configured: Lapse,
        *,
        lease_s: float,
        clock: Clock,
        memory: KeyValues | None = None,
    ) -> None:
        self._device_id = device_id
        self._configured = configured
        self._lease_s = lease_s
        self._clock = clock
        self._memory = memory
        self._loaded = memory is None
        self._claim = configured
        self._proof: Lapse | None = None
        self._trial: _Trial | None = None

    @property
    def lapse(self) -> Lapse:
        """Deeds outrank registers; nothing outranks an operator's `none`, or a missing timer."""
        if self._proof is None or Lapse.NONE in (self._configured, self._claim):
            return self._claim
        return self._proof

    @property
    def within_s(self) -> float | None:
        """Time after our death in which the setpoint has ended, a late timer allowed for."""
        return self._lease_s * LATE if self.lapse is Lapse.DEVICE else None

    async def load(self) -> None:
        """Remember what was proven in an earlier life."""
        if self._loaded or self._memory is None:
            return
        found = await self._memory.get(_KEY + self._device_id)
        self._proof = Lapse(found) if found in (Lapse.DEVICE, Lapse.NONE) else None
        self._loaded = True

    def claims(self, timer: Timer) -> None:
        """The device has just been written to, and shows this."""
        claim = proven_lapse(self._configured, self._lease_s, timer)
        if claim is not self._claim:
            _log.info("lapse claimed", device=self._device_id, lapse=claim)
        self._claim = claim

    def told(self, value_w: float | None) -> None:
        """A setpoint is in force from now on; None: one that nothing can be learnt from."""
        now_s = self._clock.monotonic()
        if value_w is None:
            self._trial = None
        elif self._trial is not None and self._trial.value_w == value_w:
            self._trial.told_s = now_s
        else:
            self._trial = _Trial(value_w, now_s)

    async def observe(self, *, follows: bool, telling: bool = True) -> None:
        """Measured power has (not) been seen at the setpoint last told.

        `telling`: whether that proves anything once the setpoint has been left to lapse: PV below
        its limit may just lack sun, and a battery that stopped may just be full.
        """
        trial = self._trial
        if trial is None:
            return
        age_s = self._clock.monotonic() - trial.told_s
        if age_s <= self._lease_s:
            trial.followed = trial.followed or follows
        elif age_s > self._lease_s * LATE + _GRACE_S:
            self._trial = None
            if trial.followed and telling:
                await self._prove(Lapse.NONE if follows else Lapse.DEVICE)

    async def _prove(self, proof: Lapse) -> None:
        if proof is self._proof:
            return
        _log.warning("lapse proven", device=self._device_id, lapse=proof)
        self._proof = proof
        if self._memory is not None:
            await self._memory.put(_KEY + self._device_id, proof.value)
