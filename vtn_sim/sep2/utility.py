"""The whole utility: what it has, what it asks for, and what it was told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from contracts.errors import ConfigError, PermanentError
from contracts.identity import certificate_der, lfdi
from contracts.sep2.dialect import Dialect
from contracts.sep2.hexes import canonical_mrid
from contracts.sep2.modes import CSIPAUS_MODES
from contracts.time import Clock
from vtn_sim.sep2.devices import Device, DeviceBook
from vtn_sim.sep2.events import Booked, EventBook, SpecT, Status, status
from vtn_sim.sep2.faults import FaultBook
from vtn_sim.sep2.flow import FlowBook, FlowRequest
from vtn_sim.sep2.groups import Groups
from vtn_sim.sep2.hrefs import Hrefs
from vtn_sim.sep2.identifiers import Mrids
from vtn_sim.sep2.mirrors import MirrorBook
from vtn_sim.sep2.received import Received
from vtn_sim.sep2.server_time import ServerClock
from vtn_sim.sep2.settings import Sep2ServerSettings
from vtn_sim.sep2.spec import AggregatorSpec, ControlSpec, DeviceSpec, LoadControlSpec, ModesSpec
from vtn_sim.sep2.subscriptions import SubscriptionBook, Topic

Listener = Callable[[Topic], None]


class Utility:
    """Everything in memory. Changes are told to whoever listens, by topic."""

    def __init__(self, settings: Sep2ServerSettings, clock: Clock) -> None:
        """As the settings have it.

        Raises:
            ConfigError: they name what there is not, or the same thing twice.
        """
        self.settings = settings
        self.clock = ServerClock(clock, settings.clock_shift_s)
        self.habits = settings.habits
        self.dialect = Dialect(csipaus=settings.csipaus)
        self.poll_rates = dict(settings.poll_rates)
        self.poll_rate_s = settings.poll_rate_s
        self.post_rate_s = settings.post_rate_s
        self.hrefs = Hrefs(settings.entry)
        self.mrids = Mrids(settings.pen, lower_case=settings.habits.lower_case_mrids)
        self.devices = DeviceBook()
        self.groups = Groups(self.mrids)
        keep = timedelta(seconds=settings.keep_ended_s)
        self.controls = EventBook[ControlSpec](keep=keep)
        self.load_controls = EventBook[LoadControlSpec](keep=keep)
        self.received = Received()
        self.mirrors = MirrorBook(settings.max_mirrors, settings.keep_readings)
        self.flows = FlowBook()
        self.subscriptions = SubscriptionBook()
        self.faults = FaultBook()
        self.published_prices: dict[str, str] = {}
        """Tariff by canonical mRID of the TimeTariffIntervals that were shown."""
        self.first_contact = asyncio.Event()
        self._listeners: list[Listener] = []
        try:
            self._fill(settings)
        except PermanentError as error:
            raise ConfigError(f"sep2: {error}") from error

    def _fill(self, settings: Sep2ServerSettings) -> None:
        now = self.clock.now()
        for program in settings.programs:
            self.groups.add_program(program, now)
            if program.default is not None:
                self.check_modes(program.default)
        for load_program in settings.load_programs:
            self.groups.add_load_program(load_program)
        for tariff in settings.tariffs:
            self.groups.add_tariff(tariff, now)
        for fsa in settings.fsas:
            self.groups.add_fsa(fsa)
        self.groups.fsas.check(settings.in_band_fsas)
        for aggregator in settings.aggregators:
            self.devices.add_aggregator(aggregator, _lfdi(aggregator), now)
        for device in settings.devices:
            self.add_device(device)

    # --- time and rules ------------------------------------------------------------------------

    def now(self) -> datetime:
        """By the server's clock."""
        return self.clock.now()

    def poll_rate(self, kind: str) -> timedelta:
        """The pollRate of a kind of resource now."""
        return timedelta(seconds=self.poll_rates.get(kind, self.poll_rate_s))

    def status(self, book: EventBook[SpecT], event: Booked[SpecT], now: datetime) -> Status:
        """EventStatus of an event of a book."""
        others = book.of(event.spec.program)
        return status(event, others, now, at_creation=self.habits.supersede_at_creation)

    def check_modes(self, spec: ModesSpec) -> None:
        """Whether the modes can be said to this utility's clients.

        Raises:
            PermanentError: they are Australian and it is not.
        """
        for name in spec.modes.keys() & CSIPAUS_MODES.keys():
            try:
                self.dialect.check(name)
            except ValueError as error:
                raise PermanentError(str(error)) from error

    def knows_price(self, mrid: str) -> bool:
        """Whether a TimeTariffInterval of this mRID was shown."""
        return canonical_mrid(mrid) in self.published_prices

    def consider(self, request: FlowRequest) -> None:
        """Answer a flow reservation as the policy has it."""
        flow = self.settings.flow_reservation
        if flow is None or flow.policy == "manual":
            return
        refused = timedelta(0) if flow.policy == "refuse" else None
        self.answer(request, duration=refused)

    def answer(
        self,
        request: FlowRequest,
        *,
        start: datetime | None = None,
        duration: timedelta | None = None,
        power_w: float | None = None,
    ) -> None:
        """Answer a flow reservation; what is left out is as was asked."""
        mrid, now = self.mrids.fresh(), self.now()
        self.flows.grant(request, mrid, now, start=start, duration=duration, power_w=power_w)
        device = self.devices.by_lfdi(request.lfdi)
        if device is not None:
            self.changed(("FlowReservationResponseList", str(device.number)))

    # --- devices -------------------------------------------------------------------------------

    def add_device(self, spec: DeviceSpec) -> Device:
        """A new EndDevice, by the utility's own decision.

        Raises:
            PermanentError: it exists already, or is to belong to what there is not.
        """
        self.groups.fsas.check(spec.fsas)
        now = self.now()
        device = self.devices.add(spec, self._aggregator_of(spec), now)
        self.changed(("EndDeviceList", ""))
        return device

    def _aggregator_of(self, spec: DeviceSpec) -> str | None:
        if spec.direct:
            return None
        if spec.aggregator is not None:
            return self.devices.get(spec.aggregator).lfdi
        return next((d.lfdi for d in self.devices.all() if d.is_aggregator), None)

    def device_changed(self, device: Device, *kinds: str) -> None:
        """Tell that an EndDevice and some of its lists have changed."""
        self.changed(("EndDeviceList", ""), ("EndDevice", str(device.number)))
        self.changed(*((kind, str(device.number)) for kind in kinds))

    # --- news ----------------------------------------------------------------------------------

    def listen(self, listener: Listener) -> None:
        """Be told of every change."""
        self._listeners.append(listener)

    def changed(self, *topics: Topic) -> None:
        """Tell of changes."""
        for topic in topics:
            for listener in self._listeners:
                listener(topic)


def _lfdi(spec: AggregatorSpec) -> str:
    if spec.certificate is not None:
        return lfdi(certificate_der(spec.certificate))
    return spec.lfdi or ""
