"""Pricing (10.5): a rate component for each local day, as some servers publish them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import partial

from contracts.sep2.codes import EventState, FlowDirection, Uom
from contracts.sep2.hexes import canonical_mrid
from contracts.sep2.resources import (
    ConsumptionTariffInterval,
    ConsumptionTariffIntervalList,
    Link,
    RateComponent,
    RateComponentList,
    ReadingType,
    TariffProfile,
    TariffProfileList,
    TimeTariffInterval,
    TimeTariffIntervalList,
)
from vtn_sim.sep2.events import Status
from vtn_sim.sep2.function_sets.common import FunctionSet, event_status, interval, list_link
from vtn_sim.sep2.groups import Tariff, ranked
from vtn_sim.sep2.refusal import not_found
from vtn_sim.sep2.routing import Call, Route
from vtn_sim.sep2.server_time import whole

PRICE_POWER = -5
"""Prices are in hundred-thousandths of the currency per kWh."""
_KILO = 3
_FLOWS = {"1": FlowDirection.FORWARD, "2": FlowDirection.REVERSE}
_SECONDARY_METERED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class _Component:
    """Prices of one direction on one local day."""

    tariff: Tariff
    day: date
    flow: str

    @property
    def path(self) -> str:
        """Below the tariff."""
        return f"rc/{self.day.isoformat()}/{self.flow}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Interval:
    """One price from its time on."""

    component: _Component
    at: time
    start: datetime
    end: datetime
    price: float


class PricingFunctionSet(FunctionSet):
    """What energy costs."""

    def routes(self) -> Iterator[Route]:
        """Every path."""
        for base in ("", "edev/{device}/"):
            tariff = base + "tp/{tariff}"
            intervals = tariff + "/rc/{day}/{flow}/tti"
            yield Route(
                pattern=base + "fsa/{fsa}/tp",
                kind="TariffProfileList",
                get=self.tariffs,
                identified_by="fsa",
            )
            yield Route(
                pattern=tariff,
                kind="TariffProfile",
                get=lambda call: self.tariff(self.base(call), self._tariff(call)),
            )
            yield Route(pattern=tariff + "/rc", kind="RateComponentList", get=self.components)
            yield Route(
                pattern=tariff + "/rc/{day}/{flow}",
                kind="RateComponent",
                get=lambda call: self.component(self.base(call), self._component(call)),
            )
            yield Route(
                pattern=intervals,
                kind="TimeTariffIntervalList",
                get=self.intervals,
                identified_by="tariff",
            )
            yield Route(
                pattern=intervals + "/{at}",
                kind="TimeTariffInterval",
                get=lambda call: self.interval(self.base(call), self._interval(call)),
            )
            yield Route(
                pattern=intervals + "/{at}/cti",
                kind="ConsumptionTariffIntervalList",
                get=self.prices,
            )
            yield Route(
                pattern=intervals + "/{at}/cti/1",
                kind="ConsumptionTariffInterval",
                get=lambda call: self.price(self.base(call), self._interval(call)),
            )
        yield Route(pattern="rt/{flow}", kind="ReadingType", get=self.reading_type)

    # --- tariffs and components ----------------------------------------------------------------

    def tariffs(self, call: Call) -> TariffProfileList:
        """The tariffs of a group."""
        base, fsa = self.base(call), self.fsa(call)
        return self.listed(
            TariffProfileList,
            f"{self.hrefs.fsa(base, fsa.number)}/tp",
            ranked(self.utility.groups.tariffs.get(name) for name in fsa.tariffs),
            call,
            partial(self.tariff, base),
        )

    def _tariff(self, call: Call) -> Tariff:
        found = self.utility.groups.tariffs.numbered(call.params["tariff"])
        if found is None or not any(found.name in fsa.tariffs for fsa in self.fsas(call)):
            raise not_found("no such TariffProfile")
        return found

    def tariff(self, base: str, tariff: Tariff) -> TariffProfile:
        """One tariff."""
        href = self.hrefs.tariff(base, tariff.number)
        return TariffProfile(
            href=href,
            mrid=tariff.mrid,
            description=tariff.name[:32],
            currency=tariff.spec.currency,
            price_power_of_ten_multiplier=PRICE_POWER,
            primacy=tariff.spec.primacy,
            rate_code=tariff.spec.rate_code or None,
            rate_component_list_link=list_link(f"{href}/rc", len(self._components(tariff))),
        )

    def _components(self, tariff: Tariff) -> list[_Component]:
        spec = tariff.spec
        today = self.utility.now().astimezone(spec.time_zone).date()
        exports = any(price.export_price is not None for price in spec.prices)
        return [
            _Component(tariff=tariff, day=today + timedelta(days=n), flow=flow)
            for n in range(spec.days)
            for flow in (_FLOWS if exports else ("1",))
        ]

    def components(self, call: Call) -> RateComponentList:
        """The days and directions of a tariff: mRID falling."""
        tariff, base = self._tariff(call), self.base(call)
        components = sorted(self._components(tariff), key=self._mrid, reverse=True)
        href = f"{self.hrefs.tariff(base, tariff.number)}/rc"
        kind = "RateComponentList"
        if self.utility.habits.subscribable_rate_components:
            kind = "TariffProfileList"
        build = partial(self.component, base)
        return self.listed(RateComponentList, href, components, call, build, kind=kind)

    def component(self, base: str, component: _Component) -> RateComponent:
        """One day and direction."""
        tariff = component.tariff
        href = f"{self.hrefs.tariff(base, tariff.number)}/{component.path}"
        count = len(self._intervals(component))
        return RateComponent(
            href=href,
            mrid=self._mrid(component),
            description=f"{component.day.isoformat()} {_FLOWS[component.flow].name}".lower(),
            reading_type_link=Link(href=f"{self.hrefs.prefix}/rt/{component.flow}"),
            time_tariff_interval_list_link=list_link(f"{href}/tti", count),
        )

    def _mrid(self, component: _Component) -> str:
        return self.utility.mrids.stable(
            "RateComponent", f"{component.tariff.name} {component.path}"
        )

    def _component(self, call: Call) -> _Component:
        for component in self._components(self._tariff(call)):
            if component.path == f"rc/{call.params['day']}/{call.params['flow']}":
                return component
        raise not_found("no such RateComponent")

    def reading_type(self, call: Call) -> ReadingType:
        """What prices are per: kWh in one direction."""
        flow = call.params["flow"]
        if flow not in _FLOWS:
            raise not_found("no such ReadingType")
        return ReadingType(
            href=f"{self.hrefs.prefix}/rt/{flow}",
            commodity=_SECONDARY_METERED,
            flow_direction=_FLOWS[flow],
            power_of_ten_multiplier=_KILO,
            uom=Uom.WATT_HOUR,
        )

    # --- intervals -----------------------------------------------------------------------------

    def _intervals(self, component: _Component) -> list[_Interval]:
        spec = component.tariff.spec
        zone, export = spec.time_zone, component.flow != "1"
        starts = [_instant(component.day, price.at, spec.time_zone) for price in spec.prices]
        midnight = datetime.combine(component.day + timedelta(days=1), time(), zone)
        ends = [*starts[1:], midnight.astimezone(UTC)]
        found = []
        for price, start, end in zip(spec.prices, starts, ends, strict=True):
            value = price.export_price if export else price.price
            if value is not None and end > start:
                found.append(
                    _Interval(component=component, at=price.at, start=start, end=end, price=value)
                )
        return found

    def intervals(self, call: Call) -> TimeTariffIntervalList:
        """The prices of a day: start rising."""
        component, base = self._component(call), self.base(call)
        href = f"{self.hrefs.tariff(base, component.tariff.number)}/{component.path}/tti"
        return self.listed(
            TimeTariffIntervalList,
            href,
            self._intervals(component),
            call,
            partial(self.interval, base),
            time_of=lambda one: one.start,
        )

    def interval(self, base: str, one: _Interval) -> TimeTariffInterval:
        """One price from its time on."""
        component, tariff = one.component, one.component.tariff
        tti = f"{component.path}/tti/{one.at:%H:%M}"
        href = f"{self.hrefs.tariff(base, tariff.number)}/{tti}"
        what = f"{tariff.name} {tariff.revision} {tti}"
        mrid = self.utility.mrids.stable("TimeTariffInterval", what)
        self.utility.published_prices[canonical_mrid(mrid)] = tariff.name
        active = one.start <= self.utility.now()
        status = Status(
            state=EventState.ACTIVE if active else EventState.SCHEDULED,
            since=one.start if active else tariff.created_at,
        )
        return TimeTariffInterval(
            href=href,
            reply_to=self.hrefs.responses(base, "price"),
            response_required=tariff.spec.response_required,
            mrid=mrid,
            creation_time=whole(tariff.created_at),
            event_status=event_status(status),
            interval=interval(one.start, one.end - one.start),
            consumption_tariff_interval_list_link=list_link(f"{href}/cti", 1),
        )

    def _interval(self, call: Call) -> _Interval:
        for one in self._intervals(self._component(call)):
            if f"{one.at:%H:%M}" == call.params["at"]:
                return one
        raise not_found("no such TimeTariffInterval")

    def prices(self, call: Call) -> ConsumptionTariffIntervalList:
        """The price, whatever was consumed before."""
        one, base = self._interval(call), self.base(call)
        href = self._price_href(base, one).removesuffix("/1")
        build = partial(self.price, base)
        return self.listed(ConsumptionTariffIntervalList, href, [one], call, build)

    def price(self, base: str, one: _Interval) -> ConsumptionTariffInterval:
        """The only price of an interval."""
        scaled = round(one.price * 10.0**-PRICE_POWER)
        return ConsumptionTariffInterval(href=self._price_href(base, one), price=scaled)

    def _price_href(self, base: str, one: _Interval) -> str:
        tariff = self.hrefs.tariff(base, one.component.tariff.number)
        return f"{tariff}/{one.component.path}/tti/{one.at:%H:%M}/cti/1"


def _instant(day: date, at: time, zone: tzinfo) -> datetime:
    """A local time of a day in UTC."""
    return datetime.combine(day, at, zone).astimezone(UTC)
