"""The meter's energy register against its own power, integrated.

A register counts what has really flowed, sampled much faster than anybody polls. So a power that
stands still, has its sign flipped or its scale wrong parts from the register, in either direction.
Registers count in steps (1 Wh to 1 kWh) or at times of their own: what is normal is learnt.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.metering import energy_slack_wh
from site_agent.domain.policy import TrustPolicy

_STEPS = 10.0
"""Judged over at least so many steps of the register."""
_SILENT_STEPS, _SILENT_PACES = 4.0, 5.0
_LEAST, _MOST = timedelta(seconds=30), timedelta(minutes=5)
_UNKNOWN_WH = 1000.0
"""The step of a register that has not been seen to move: no coarser ones are in use."""
_HOUR = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy:
    """One reading; load convention."""

    at: datetime
    power_w: float
    import_wh: float
    export_wh: float | None

    @property
    def net_wh(self) -> float:
        """What the registers say has flowed in, W h."""
        return self.import_wh - (self.export_wh or 0.0)


class RegisterCheck:
    """Integrates power between the register's steps and compares."""

    def __init__(self, contract_w: float, pace: timedelta, policy: TrustPolicy) -> None:
        self._contract_w = contract_w
        self._pace = pace
        self._policy = policy
        self._last: Energy | None = None
        self._step_wh: float | None = None
        self._interval: timedelta | None = None
        self._compared = timedelta(0)
        self.agrees = True
        """Whether register and power agreed when that could last be said."""
        self._edge_at: datetime | None = None
        """When the register last moved; None: not since it is watched without a gap."""
        self._start()

    @property
    def since(self) -> datetime | None:
        """When what is being compared began."""
        return None if self._last is None else self._last.at - self._compared

    def see(self, now: Energy) -> None:
        """Take one more reading."""
        agrees = self._judge(now)
        self.agrees = self.agrees if agrees is None else agrees

    def _judge(self, now: Energy) -> bool | None:
        """Whether they agree; None: nothing to say yet."""
        before, self._last = self._last, now
        if before is None or self._broken(before, now):
            self._edge_at = None
            self._start()
            return None
        hours = (now.at - before.at) / _HOUR
        self._sum_wh += before.power_w * hours
        self._gross_wh += abs(before.power_w) * hours
        self._quiet_wh += abs(before.power_w) * hours
        self._elapsed += now.at - before.at
        moved_wh = now.net_wh - before.net_wh
        if moved_wh == 0.0:
            return False if self._silent(now) else None
        return self._edge(now.at, moved_wh)

    def _broken(self, before: Energy, now: Energy) -> bool:
        """Whether there was a gap, or the register began anew, or export cannot be seen."""
        gap = now.at - before.at > 2 * self._pace
        fell = now.import_wh < before.import_wh or (now.export_wh or 0) < (before.export_wh or 0)
        another = (now.export_wh is None) is not (before.export_wh is None)
        slack_w = self._policy.energy_share * self._contract_w
        unseen = now.export_wh is None and now.power_w < -slack_w
        return gap or fell or another or unseen

    def _start(self) -> None:
        self._sum_wh = self._gross_wh = self._moved_wh = self._quiet_wh = 0.0
        self._elapsed = timedelta(0)

    def _edge(self, at: datetime, moved_wh: float) -> bool | None:
        self._quiet_wh = 0.0
        edge_at, self._edge_at = self._edge_at, at
        if edge_at is None:  # how long it had been on its way to this step is not known
            self._start()
            return None
        self._step_wh = max(self._step_wh or 0.0, abs(moved_wh))
        apart = at - edge_at
        self._interval = apart if self._interval is None else min(self._interval, apart)
        self._moved_wh += moved_wh
        return self._verdict()

    def _verdict(self) -> bool | None:
        step_wh = self._step_wh or _UNKNOWN_WH
        flowed_wh = max(self._gross_wh, abs(self._moved_wh))
        if flowed_wh < _STEPS * step_wh or self._elapsed < _LEAST:
            return None
        policy = self._policy
        allowed_wh = 2.0 * step_wh + energy_slack_wh(
            self._contract_w,
            flowed_wh,
            self._elapsed / _HOUR,
            energy_error=policy.energy_error,
            energy_share=policy.energy_share,
        )
        agrees = abs(self._moved_wh - self._sum_wh) <= allowed_wh
        self._compared = self._elapsed
        if not agrees or self._elapsed >= _MOST:
            self._start()
        return agrees

    def _silent(self, now: Energy) -> bool:
        """Whether the register should have moved long ago."""
        if self._edge_at is None and now.net_wh == 0.0:
            return False  # a register that has always read 0 is none
        since = self._elapsed if self._edge_at is None else now.at - self._edge_at
        step_wh = self._step_wh or _UNKNOWN_WH
        small_wh = 2.0 * self._policy.energy_share * self._contract_w * (since / _HOUR)
        self._compared = since
        overdue = since > max(3 * (self._interval or self._pace), _SILENT_PACES * self._pace)
        return overdue and self._quiet_wh > max(_SILENT_STEPS * step_wh, small_wh)
