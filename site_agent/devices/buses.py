"""Sources of M-Bus, CAN and DLMS devices from their settings, one link for each bus.

The libraries of these wires are extras: they are imported only where a site has such a device, and
one that is missing is told with the command that installs it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from contracts.errors import ConfigError
from contracts.time import Clock
from site_agent.config.buses import CanSettings, DlmsSettings, MBusSettings, SignalSettings
from site_agent.devices.points.source import Source
from site_agent.devices.points.vocabulary import POINTS
from site_agent.devices.streams import Place, SerialPlace, TcpPlace
from site_agent.ports import Wake

if TYPE_CHECKING:
    from site_agent.devices.can.signals import SignalMap, SignalRule
    from site_agent.devices.mbus.link import MBusLink
    from site_agent.devices.mbus.mapping import RecordMap


class BusSources:
    """Makes sources; meters on the same M-Bus share its link."""

    def __init__(self, clock: Clock, wake: Wake) -> None:
        self._clock = clock
        self._wake = wake
        self._links: dict[Place, MBusLink] = {}

    def source(self, name: str, settings: MBusSettings | CanSettings | DlmsSettings) -> Source:
        """The source these settings describe.

        Raises:
            ConfigError: a package is missing, a point or signal that there is not, or two meters
                want different things of one bus.
        """
        if isinstance(settings, MBusSettings):
            return self._mbus(name, settings)
        if isinstance(settings, CanSettings):
            return self._can(name, settings)
        return self._dlms(name, settings)

    def _mbus(self, name: str, settings: MBusSettings) -> Source:
        from site_agent.devices.mbus.link import MeterAddress  # noqa: PLC0415 - an extra
        from site_agent.devices.mbus.source import MBusSource  # noqa: PLC0415

        return MBusSource(
            self._link(settings),
            MeterAddress(primary=settings.address, secondary=settings.secondary),
            name=name,
            clock=self._clock,
            wake=self._wake,
            records=_record_map(name, settings),
            period_s=settings.period_s,
            max_age_s=settings.max_age_s,
        )

    def _link(self, settings: MBusSettings) -> MBusLink:
        from site_agent.devices.mbus.link import LinkSettings, MBusLink  # noqa: PLC0415 - an extra

        wanted = LinkSettings(place=_place(settings), timeout_s=settings.timeout_s)
        for place, link in self._links.items():
            if _same_bus(place, wanted.place) and link.settings != wanted:
                raise ConfigError(f"{wanted.place}: its meters do not agree how it is spoken to")
        return self._links.setdefault(wanted.place, MBusLink(wanted, self._clock))

    def _can(self, name: str, settings: CanSettings) -> Source:
        from site_agent.devices.can.bus import BusSettings  # noqa: PLC0415 - an extra
        from site_agent.devices.can.database import BATTERY, SignalDatabase  # noqa: PLC0415
        from site_agent.devices.can.source import CanSource  # noqa: PLC0415

        return CanSource(
            BusSettings(
                interface=settings.interface,
                channel=settings.channel,
                bitrate=settings.bitrate,
                options=settings.options,
            ),
            name=name,
            clock=self._clock,
            database=SignalDatabase.load(settings.dbc or BATTERY),
            signals=_signal_map(settings),
            keep_alive=settings.keep_alive,
            max_age_s=settings.max_age_s,
        )

    def _dlms(self, name: str, settings: DlmsSettings) -> Source:
        from site_agent.devices.dlms.session import SessionSettings  # noqa: PLC0415 - an extra
        from site_agent.devices.dlms.source import DlmsSource  # noqa: PLC0415
        from site_agent.devices.dlms.values import DEFAULT_OBIS, ONE_WAY  # noqa: PLC0415

        obis = DEFAULT_OBIS if settings.obis is None else settings.obis
        _check_points(name, set(obis) - {*ONE_WAY})
        return DlmsSource(
            SessionSettings(
                host=settings.host,
                port=settings.port,
                framing=settings.framing,
                client=settings.client,
                server=settings.server,
                password=settings.password,
                timeout_s=settings.timeout_s,
            ),
            name=name,
            clock=self._clock,
            wake=self._wake,
            obis=obis,
            period_s=settings.period_s,
            max_age_s=settings.max_age_s,
        )


def _place(settings: MBusSettings) -> Place:
    if settings.serial is not None:
        return SerialPlace(**settings.serial.model_dump())
    return TcpPlace(host=settings.host or "", port=settings.port or 0)


def _same_bus(one: Place, other: Place) -> bool:
    if isinstance(one, SerialPlace) and isinstance(other, SerialPlace):
        return one.device == other.device
    return one == other


def _record_map(name: str, settings: MBusSettings) -> RecordMap:
    from site_agent.devices.mbus.mapping import (  # noqa: PLC0415 - an extra
        POINTS as FOUND,
    )
    from site_agent.devices.mbus.mapping import RecordMap, RecordRule  # noqa: PLC0415

    shows = tuple(dict.fromkeys((*(settings.shows or FOUND), *settings.records)))
    _check_points(name, set(shows))
    rules = {point: RecordRule(**rule.model_dump()) for point, rule in settings.records.items()}
    return RecordMap(rules=rules, shows=shows)


def _signal_map(settings: CanSettings) -> SignalMap:
    from site_agent.devices.can.signals import BATTERY_MAP, SignalMap  # noqa: PLC0415 - an extra

    if settings.signals is None:
        return BATTERY_MAP
    return SignalMap(
        rules=_rules(settings.signals), faults=tuple(_rule(one) for one in settings.faults)
    )


def _rules(signals: Mapping[str, SignalSettings]) -> dict[str, SignalRule]:
    return {point: _rule(one) for point, one in signals.items()}


def _rule(settings: SignalSettings) -> SignalRule:
    from site_agent.devices.can.signals import SignalRule  # noqa: PLC0415 - an extra

    return SignalRule(**settings.model_dump())


def _check_points(name: str, points: set[str]) -> None:
    unknown = points - POINTS.keys()
    if unknown:
        raise ConfigError(f"{name}: no such points: {', '.join(sorted(unknown))}")
