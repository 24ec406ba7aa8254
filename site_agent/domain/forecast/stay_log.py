"""Stays as they happen: who stands where since when, and what it has taken so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from site_agent.domain.device import ChargerState
from site_agent.domain.fleet.need import VehicleNeed
from site_agent.domain.forecast.stays import PastStay
from site_agent.domain.site import SiteSnapshot

_SHORTEST = timedelta(minutes=5)
_LEAST_WH = 100.0
"""A stay that is shorter and took less was a plug that was tried."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenStay:
    """A vehicle that is plugged in."""

    vehicle_id: str
    known: bool
    arrived: datetime
    earlier_wh: float = 0.0
    """Of transactions of this stay that are over."""
    register_wh: float = 0.0
    """Of the transaction that runs."""
    missing_wh: float = 0.0
    max_power_w: float = 0.0

    def seen(self, need: VehicleNeed, charged_wh: float | None) -> OpenStay:
        """The same a little later."""
        register_wh = self.register_wh if charged_wh is None else charged_wh
        begun_anew = register_wh < self.register_wh - 1.0
        return replace(
            self,
            vehicle_id=need.vehicle_id if need.known else self.vehicle_id,
            known=self.known or need.known,
            earlier_wh=self.earlier_wh + (self.register_wh if begun_anew else 0.0),
            register_wh=register_wh,
            missing_wh=need.required_wh,
            max_power_w=need.max_power_w,
        )

    def over(self, evse_id: str, now: datetime) -> PastStay:
        """It has left."""
        return PastStay(
            vehicle_id=self.vehicle_id,
            evse_id=evse_id,
            arrived=self.arrived,
            left=now,
            energy_wh=self.earlier_wh + self.register_wh,
            missing_wh=self.missing_wh if self.known else 0.0,
            max_power_w=self.max_power_w,
        )

    def stored(self) -> Mapping[str, object]:
        """As JSON values."""
        return {**asdict(self), "arrived": self.arrived.isoformat()}

    @classmethod
    def restored(cls, stored: Mapping[str, object]) -> OpenStay:
        """From what `stored` gave."""
        return cls(**{**stored, "arrived": datetime.fromisoformat(str(stored["arrived"]))})  # type: ignore[arg-type]  # our own JSON


class StayLog:
    """The stays that run, by EVSE."""

    def __init__(self) -> None:
        self.open: dict[str, OpenStay] = {}

    def watch(self, snapshot: SiteSnapshot) -> Sequence[PastStay]:
        """Take in one picture; the stays that have ended with it."""
        needs = {need.evse_id: need for need in snapshot.needs}
        ended = [self._watched(one, needs, snapshot) for one in snapshot.chargers]
        return [stay for stay in ended if stay is not None and _counts(stay)]

    def _watched(
        self, charger: ChargerState, needs: Mapping[str, VehicleNeed], snapshot: SiteSnapshot
    ) -> PastStay | None:
        evse_id = charger.spec.evse_id
        need, before = needs.get(evse_id), self.open.get(evse_id)
        gone = charger.online if need is None else before is not None and _another(before, need)
        if before is not None and gone:
            del self.open[evse_id]
        if need is not None:
            charged = charger.energy_wh.fresh(snapshot.at, snapshot.model.device_max_age)
            stay = self.open.get(evse_id) or _begun(need, snapshot.at)
            self.open[evse_id] = stay.seen(need, charged)
        return before.over(evse_id, snapshot.at) if before is not None and gone else None


def _begun(need: VehicleNeed, now: datetime) -> OpenStay:
    name = need.vehicle_id if need.known else f"unknown at {need.evse_id}"
    return OpenStay(vehicle_id=name, known=need.known, arrived=now)


def _another(before: OpenStay, need: VehicleNeed) -> bool:
    return before.known and need.known and before.vehicle_id != need.vehicle_id


def _counts(stay: PastStay) -> bool:
    return stay.left - stay.arrived >= _SHORTEST or stay.energy_wh >= _LEAST_WH
