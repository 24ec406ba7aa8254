"""EndDevices and who may see them (IEEE 2030.5-2018, 8.5; CSIP P18 to P20)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from contracts.errors import PermanentError
from contracts.identity import sfdi
from contracts.sep2.hexes import canonical_lfdi
from contracts.sep2.resources import Resource
from vtn_sim.sep2.refusal import UnknownNameError
from vtn_sim.sep2.spec import AggregatorSpec, DeviceSpec


class UnknownDeviceError(UnknownNameError):
    """No EndDevice of this label or LFDI."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a device has told about itself."""

    resource: Resource
    at: datetime
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """The groups a device belonged to from `since` on."""

    fsas: tuple[str, ...]
    since: datetime


@dataclass(slots=True)
class Device:
    """One EndDevice; `aggregator` is the LFDI of the client that stands in for it."""

    number: int
    lfdi: str
    label: str
    aggregator: str | None
    pin: int
    category: int
    ders: int
    listed: bool
    changed_at: datetime
    registered_at: datetime
    is_aggregator: bool = False
    connection_point: str = ""
    memberships: list[Membership] = field(default_factory=list)
    told: dict[tuple[int, str], Told] = field(default_factory=dict)
    """By number of the DER and name of the resource."""

    @property
    def sfdi(self) -> int:
        """With its check digit."""
        return sfdi(self.lfdi)

    @property
    def fsas(self) -> tuple[str, ...]:
        """The groups it belongs to now."""
        return self.memberships[-1].fsas if self.memberships else ()

    def fsas_between(self, start: datetime, end: datetime) -> list[tuple[str, ...]]:
        """The groups it belonged to in a span of time, in order."""
        ends = [m.since for m in self.memberships[1:]] + [None]
        return [
            m.fsas
            for m, until in zip(self.memberships, ends, strict=True)
            if m.since < end and (until is None or until > start)
        ]


class DeviceBook:
    """Every EndDevice of the utility."""

    def __init__(self) -> None:
        self._by_number: dict[int, Device] = {}
        self._by_lfdi: dict[str, Device] = {}
        self._labels: dict[str, Device] = {}
        self._visible: dict[str, tuple[Device, ...]] = {}
        self._fsas: dict[str, frozenset[str]] = {}
        self._number = 0

    def add_aggregator(self, spec: AggregatorSpec, lfdi: str, now: datetime) -> Device:
        """The EndDevice of a client that stands in for others.

        Raises:
            PermanentError: its LFDI or name is taken.
        """
        return self._add(
            Device(
                number=self._next(),
                lfdi=lfdi,
                label=spec.name,
                aggregator=lfdi,
                pin=spec.pin,
                category=0,
                ders=0,
                listed=True,
                changed_at=now,
                registered_at=now,
                is_aggregator=True,
            )
        )

    def add(self, spec: DeviceSpec, aggregator: str | None, now: datetime) -> Device:
        """A new EndDevice.

        Raises:
            PermanentError: its LFDI or label is taken.
        """
        return self._add(
            Device(
                number=self._next(),
                lfdi=spec.lfdi,
                label=spec.key,
                aggregator=aggregator,
                pin=spec.pin,
                category=spec.device_category,
                ders=spec.ders,
                listed=spec.registered,
                changed_at=now,
                registered_at=now,
                connection_point=spec.connection_point,
                memberships=[Membership(fsas=spec.fsas, since=now)],
            )
        )

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _add(self, device: Device) -> Device:
        if device.lfdi in self._by_lfdi or device.label in self._labels:
            raise PermanentError(f"EndDevice {device.label!r} or its LFDI exists already")
        self._by_number[device.number] = device
        self._by_lfdi[device.lfdi] = self._labels[device.label] = device
        self._changed()
        return device

    def remove(self, device: Device) -> None:
        """Forget it."""
        del self._by_number[device.number], self._by_lfdi[device.lfdi], self._labels[device.label]
        self._changed()

    def _changed(self) -> None:
        self._visible.clear()
        self._fsas.clear()

    def touch(self, device: Device, now: datetime) -> None:
        """It has changed: changedTime decides the order of the list."""
        device.changed_at = now
        self._changed()

    def move(self, device: Device, fsas: tuple[str, ...], now: datetime) -> None:
        """It belongs to other groups from now on."""
        device.memberships.append(Membership(fsas=fsas, since=now))
        self.touch(device, now)

    def get(self, key: str) -> Device:
        """By label or LFDI.

        Raises:
            UnknownDeviceError: there is none.
        """
        found = self._labels.get(key) or self.by_lfdi(key)
        if found is None:
            raise UnknownDeviceError(f"no EndDevice {key!r}")
        return found

    def by_lfdi(self, lfdi: str) -> Device | None:
        """By its identifier, listed or not."""
        return self._by_lfdi.get(canonical_lfdi(lfdi))

    def by_number(self, number: str) -> Device | None:
        """By the last part of its address."""
        return self._by_number.get(int(number)) if number.isascii() and number.isdigit() else None

    def all(self) -> Sequence[Device]:
        """Everyone, in order of creation."""
        return tuple(self._by_number.values())

    @property
    def managed(self) -> Sequence[Device]:
        """Everyone but the aggregators themselves."""
        return [d for d in self._by_number.values() if not d.is_aggregator]

    def client(self, lfdi: str) -> Device | None:
        """The EndDevice of whoever shows this certificate, if it may come in."""
        found = self._by_lfdi.get(lfdi)
        return found if found is not None and (found.listed or found.aggregator is None) else None

    def is_of(self, device: Device, client: Device) -> bool:
        """Whether a client may speak for a device."""
        return device is client or (client.is_aggregator and device.aggregator == client.lfdi)

    def visible_to(self, client: Device) -> Sequence[Device]:
        """What its EndDeviceList holds: changedTime falling, then SFDI rising (4.7)."""
        if client.lfdi not in self._visible:
            seen = [d for d in self._by_number.values() if d.listed and self.is_of(d, client)]
            seen.sort(key=lambda d: (-d.changed_at.timestamp(), d.sfdi))
            self._visible[client.lfdi] = tuple(seen)
        return self._visible[client.lfdi]

    def fsas_of(self, client: Device) -> frozenset[str]:
        """The groups that any of its devices belongs to: what it may see of shared resources."""
        if client.lfdi not in self._fsas:
            seen = self.visible_to(client)
            self._fsas[client.lfdi] = frozenset(fsa for d in seen for fsa in d.fsas)
        return self._fsas[client.lfdi]
