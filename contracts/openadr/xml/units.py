"""`itemBase`: the units of signals and reports."""

from __future__ import annotations

import re
from dataclasses import dataclass

from contracts.errors import ProtocolError
from contracts.openadr import values
from contracts.openadr.payloads.common import ItemBase, PowerAttributes
from contracts.openadr.xml import elements as xml
from contracts.openadr.xml.elements import Element, Markup, node

_CURRENCIES = frozenset(
    """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BOV BRL BSD BTN
    BWP BYR BZD CAD CDF CHE CHF CHW CLF CLP CNY COP COU CRC CUC CUP CVE CZK DJF DKK DOP DZD EEK
    EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GWP GYD HKD HNL HRK HTG HUF IDR ILS INR
    IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LTL LVL LYD
    MAD MAD MDL MGA MKD MMK MNT MOP MRO MUR MVR MWK MXN MXV MYR MZN NAD NGN NIO NOK NPR NZD OMR
    PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLL SOS SRD STD
    SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD USN USS UYI UYU UZS VEF VND VUV
    WST XAF XAG XAU XBA XBB XBC XBD XCD XDR XFU XOF XPD XPF XPF XPF XPT XTS XXX YER ZAR ZMK ZWL
    """.split()  # noqa: SIM905 - readable
)
"""ISO 4217 as of 2010, which the schema is fixed to; any three capitals are read."""
_CURRENCY = re.compile("[A-Z]{3}")
_CURRENCY_WORDS = ("currency", "currencyPerKW", "currencyPerKWh")


@dataclass(frozen=True, slots=True)
class _Kind:
    """What the schema fixes; empty means any."""

    name: str
    units: tuple[str, ...] = ()
    descriptions: tuple[str, ...] = ()

    @property
    def is_power(self) -> bool:
        return self.name.startswith("power:power")

    @property
    def is_currency(self) -> bool:
        return self.name.startswith("oadr:currency")

    def sibling(self, local: str) -> str:
        """The children are in the namespace of the kind itself."""
        return f"{self.name.partition(':')[0]}:{local}"

    def check_units(self, units: str, *, sending: bool = False) -> str:
        """The units, if the schema allows them.

        Raises:
            ValueError: it does not.
        """
        if self.is_currency:
            known = units in _CURRENCIES if sending else _CURRENCY.fullmatch(units) is not None
        else:
            known = not self.units or units in self.units
        if not known:
            raise ValueError(f"{units[:20]!r} is no unit of {self.name}")
        return units


_KINDS = {
    kind.name.partition(":")[2]: kind
    for kind in (
        _Kind("power:powerReal", ("W", "J/s"), ("RealPower",)),
        _Kind("power:powerReactive", ("VAR",), ("ReactivePower",)),
        _Kind("power:powerApparent", ("VA",), ("ApparentPower",)),
        _Kind("power:energyReal", ("Wh",), ("RealEnergy",)),
        _Kind("power:energyReactive", ("VARh",), ("ReactiveEnergy",)),
        _Kind("power:energyApparent", ("VAh",), ("ApparentEnergy",)),
        _Kind("power:voltage", ("V",), ("Voltage",)),
        _Kind("oadr:currency", (), _CURRENCY_WORDS),
        _Kind("oadr:currencyPerKW", (), ("currencyPerKW", "currency", "currencyPerKWh")),
        _Kind("oadr:currencyPerKWh", (), ("currencyPerKWh", "currency", "currencyPerKW")),
        _Kind("oadr:currencyPerThm", (), _CURRENCY_WORDS),
        _Kind("oadr:current", ("A",), ("Current",)),
        _Kind("oadr:frequency", ("Hz",), ("Frequency",)),
        _Kind("oadr:temperature", ("celsius", "fahrenheit"), ("temperature",)),
        _Kind("oadr:Therm", ("thm",), ("Therm",)),
        _Kind("oadr:pulseCount", ("count",), ("pulse count",)),
        _Kind("oadr:customUnit"),
    )
}
_KIND_OF_TAG = {xml.qualified(kind.name): local for local, kind in _KINDS.items()}


def item(value: ItemBase | None) -> Markup | None:
    """The `itemBase` element of this kind.

    Raises:
        ValueError: a kind, unit, description or scale the schema does not allow, or attributes
            that do not go with the kind.
    """
    if value is None:
        return None
    kind = _KINDS.get(value.kind)
    if kind is None:
        raise ValueError(f"unknown itemBase kind {value.kind!r}")
    return node(
        kind.name,
        node(kind.sibling("itemDescription"), _description(kind, value)),
        node(kind.sibling("itemUnits"), kind.check_units(value.units, sending=True)),
        _scale(value),
        _power_attributes(kind, value),
    )


def _description(kind: _Kind, value: ItemBase) -> str:
    if kind.descriptions and not value.description:
        return kind.descriptions[0]
    if kind.descriptions and value.description not in kind.descriptions:
        raise ValueError(f"{value.description[:80]!r} does not describe {value.kind}")
    return value.description


def _scale(value: ItemBase) -> Markup:
    if (value.pulse_factor is not None) != (value.kind == "pulseCount"):
        raise ValueError(f"{value.kind}: only pulseCount carries a pulse factor, and it must")
    if value.pulse_factor is not None:
        return node("oadr:pulseFactor", values.format_number(value.pulse_factor))
    values.scale_factor(value.si_scale_code)
    return node("scale:siScaleCode", value.si_scale_code)


def _power_attributes(kind: _Kind, value: ItemBase) -> Markup | None:
    attributes = value.power_attributes
    if (attributes is not None) != kind.is_power:
        raise ValueError(f"{value.kind}: only powers carry powerAttributes, and they must")
    if attributes is None:
        return None
    return node(
        "power:powerAttributes",
        node("power:hertz", values.format_decimal(attributes.hertz)),
        node("power:voltage", values.format_decimal(attributes.voltage_v)),
        node("power:ac", xml.boolean(attributes.ac)),
    )


def read_item(parent: Element) -> ItemBase | None:
    """The unit among the children of `parent`; None without one, or with one of unknown kind.

    Raises:
        ProtocolError: a part is missing, or the unit is not one of the kind: `energyReal` in kWh
            could be meant with or without its scale.
    """
    for element in parent:
        local = _KIND_OF_TAG.get(str(element.tag))
        if local is not None:
            return _read_item(element, local)
    return None


def _read_item(element: Element, local: str) -> ItemBase:
    kind = _KINDS[local]
    counts = local == "pulseCount"
    return ItemBase(
        kind=local,
        units=xml.value(element, kind.sibling("itemUnits"), kind.check_units),
        si_scale_code="none" if counts else xml.value(element, "scale:siScaleCode", _parse_scale),
        description=xml.maybe_text(element, kind.sibling("itemDescription")) or "",
        power_attributes=_read_power_attributes(element, kind),
        pulse_factor=_read_pulse_factor(element) if counts else None,
    )


def _parse_scale(raw: str) -> str:
    values.scale_factor(raw)
    return raw


def _read_pulse_factor(element: Element) -> float:
    return xml.value(element, "oadr:pulseFactor", values.parse_number)


def _read_power_attributes(element: Element, kind: _Kind) -> PowerAttributes | None:
    if not kind.is_power:
        return None
    attributes = xml.maybe_child(element, "power:powerAttributes")
    if attributes is None:
        raise ProtocolError(f"{kind.name}: power:powerAttributes is missing")
    return PowerAttributes(
        hertz=xml.value(attributes, "power:hertz", values.parse_number),
        voltage_v=xml.value(attributes, "power:voltage", values.parse_number),
        ac=xml.value(attributes, "power:ac", values.parse_boolean),
    )
