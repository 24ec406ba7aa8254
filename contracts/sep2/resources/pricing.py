"""Pricing (10.5)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from contracts.sep2 import kinds
from contracts.sep2.fields import element
from contracts.sep2.resources.base import (
    IdentifiedObject,
    Link,
    ListLink,
    RandomizableEvent,
    Resource,
    ResourceList,
)
from contracts.sep2.resources.quantity import UnitValue


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffProfile(IdentifiedObject):
    """`TariffProfile`: prices are times ten to `price_power_of_ten_multiplier` of `currency`."""

    currency: Annotated[int | None, element("currency", kinds.UINT16)] = None
    """ISO 4217 number: 840 USD, 978 EUR, 36 AUD."""
    price_power_of_ten_multiplier: Annotated[
        int | None, element("pricePowerOfTenMultiplier", kinds.INT8)
    ] = None
    primacy: Annotated[int, element("primacy", kinds.UINT8)]
    rate_code: Annotated[str | None, element("rateCode", kinds.STRING20)] = None
    rate_component_list_link: Annotated[
        ListLink | None, element("RateComponentListLink", ListLink)
    ] = None
    service_category_kind: Annotated[int, element("serviceCategoryKind", kinds.UINT8)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffProfileList(ResourceList):
    """`TariffProfileList`."""

    items: Annotated[
        tuple[TariffProfile, ...], element("TariffProfile", TariffProfile, many=True)
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RateComponent(IdentifiedObject):
    """`RateComponent`: one part of a tariff; some servers give one per local date."""

    active_time_tariff_interval_list_link: Annotated[
        ListLink | None, element("ActiveTimeTariffIntervalListLink", ListLink)
    ] = None
    flow_rate_end_limit: Annotated[UnitValue | None, element("flowRateEndLimit", UnitValue)] = None
    flow_rate_start_limit: Annotated[UnitValue | None, element("flowRateStartLimit", UnitValue)] = (
        None
    )
    reading_type_link: Annotated[Link | None, element("ReadingTypeLink", Link, required=True)] = (
        None
    )
    role_flags: Annotated[int, element("roleFlags", kinds.BITS16)] = 0
    """Bits of `codes.RoleFlag`."""
    time_tariff_interval_list_link: Annotated[
        ListLink | None, element("TimeTariffIntervalListLink", ListLink, required=True)
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RateComponentList(ResourceList):
    """`RateComponentList`."""

    items: Annotated[
        tuple[RateComponent, ...], element("RateComponent", RateComponent, many=True)
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeTariffInterval(RandomizableEvent):
    """`TimeTariffInterval`: the time a set of prices holds."""

    consumption_tariff_interval_list_link: Annotated[
        ListLink | None, element("ConsumptionTariffIntervalListLink", ListLink)
    ] = None
    tou_tier: Annotated[int, element("touTier", kinds.UINT8)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeTariffIntervalList(ResourceList):
    """`TimeTariffIntervalList`."""

    items: Annotated[
        tuple[TimeTariffInterval, ...],
        element("TimeTariffInterval", TimeTariffInterval, many=True),
    ] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentalCost:
    """`EnvironmentalCost`: `cost_kind` 0 carbon dioxide in grams, 1 sulfur dioxide, ..."""

    amount: Annotated[int, element("amount", kinds.UINT32)]
    cost_kind: Annotated[int, element("costKind", kinds.UINT8)]
    cost_level: Annotated[int, element("costLevel", kinds.UINT8)]
    num_cost_levels: Annotated[int, element("numCostLevels", kinds.UINT8)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumptionTariffInterval(Resource):
    """`ConsumptionTariffInterval`: the price from `start_value` on, as the tariff scales it."""

    consumption_block: Annotated[int, element("consumptionBlock", kinds.UINT8)] = 0
    environmental_costs: Annotated[
        tuple[EnvironmentalCost, ...], element("EnvironmentalCost", EnvironmentalCost, many=True)
    ] = ()
    price: Annotated[int | None, element("price", kinds.INT32)] = None
    start_value: Annotated[int, element("startValue", kinds.UINT48)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumptionTariffIntervalList(ResourceList):
    """`ConsumptionTariffIntervalList`."""

    items: Annotated[
        tuple[ConsumptionTariffInterval, ...],
        element("ConsumptionTariffInterval", ConsumptionTariffInterval, many=True),
    ] = ()
