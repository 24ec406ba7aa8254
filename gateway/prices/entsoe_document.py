"""ENTSO-E market documents (IEC 62325-451-3 publication, -451-1 acknowledgement) to prices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from contracts.errors import PermanentError, ProtocolError
from contracts.hostile_xml import Element, parse
from contracts.time import Interval
from gateway.domain.price.merge import Publication, by_precedence
from gateway.domain.price.timeline import PriceStep, PriceTimeline
from gateway.prices.reading import instant_of, price_of
from gateway.prices.web import MAX_BYTES

_RESOLUTIONS = {
    "PT15M": timedelta(minutes=15),
    "PT30M": timedelta(minutes=30),
    "PT60M": timedelta(hours=1),
    "PT1H": timedelta(hours=1),
}
_DAY_AHEAD = "A01"
"""Of `contract_MarketAgreement.type`; A07 is intraday."""
_FIXED, _VARIABLE = "A01", "A03"
"""Curve types: a point for every position; only points whose value is another than before."""
_NO_DATA = "999"
_MOST_POINTS = 4 * 25 * 8
_SEQUENCE = "classificationSequence_AttributeInstanceComponent.position"
_MOST_REASON = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is looked for in a document."""

    source_id: str
    area: str
    sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Curve:
    """The prices of one period of one time series."""

    resolution: timedelta
    prices: PriceTimeline


def publication(body: bytes, asked: Asked, window: Interval) -> Publication | None:
    """What a document says about a window; None: there is nothing (yet).

    Of a time that several series describe the finest resolution holds.

    Raises:
        ProtocolError: it is no such document, or contradicts itself.
        PermanentError: the platform says why it does not answer.
    """
    root = parse(body, MAX_BYTES)
    kind = _local(root)
    if kind == "Acknowledgement_MarketDocument":
        _acknowledged(root)
        return None
    if kind != "Publication_MarketDocument":
        raise ProtocolError(f"a {kind[:60]!r} is no publication of prices")
    as_of = instant_of(_text(root, "createdDateTime"))
    try:
        curves = [
            curve
            for series in root.iterfind("{*}TimeSeries")
            if _wanted(series, asked)
            for curve in _curves(series, asked, as_of)
        ]
        finest_first = sorted(curves, key=lambda one: one.resolution)
        prices = by_precedence(asked.area, [one.prices for one in finest_first], window)
    except ValueError as error:
        raise ProtocolError(f"it contradicts itself: {error}") from error
    return Publication(window=window, prices=prices) if prices.steps else None


def _acknowledged(root: Element) -> None:
    """Nothing for a request without data; else why not.

    Raises:
        PermanentError: another reason.
    """
    reason = root.find("{*}Reason")
    code = "" if reason is None else _text(reason, "code")
    text = "" if reason is None else _text(reason, "text", "")
    if code == _NO_DATA and "no matching data" in text.lower():
        return
    raise PermanentError(f"the platform says {code[:10]}: {text[:_MOST_REASON]}")


def _wanted(series: Element, asked: Asked) -> bool:
    contract = _text(series, "contract_MarketAgreement.type", _DAY_AHEAD)
    sequence = _text(series, _SEQUENCE, str(asked.sequence))
    zones = {_text(series, f"{way}_Domain.mRID", asked.area) for way in ("in", "out")}
    return contract == _DAY_AHEAD and sequence == str(asked.sequence) and zones == {asked.area}


def _curves(series: Element, asked: Asked, as_of: datetime) -> Iterator[_Curve]:
    currency, unit = _text(series, "currency_Unit.name"), _text(series, "price_Measure_Unit.name")
    curve = _text(series, "curveType", _FIXED)
    if curve not in (_FIXED, _VARIABLE):
        raise ProtocolError(f"curve type {curve[:10]!r} is not known")
    for period in series.iterfind("{*}Period"):
        resolution = _RESOLUTIONS.get(_text(period, "resolution"))
        if resolution is None:
            raise ProtocolError(f"resolution {_text(period, 'resolution')[:10]!r} is not known")
        steps = (
            PriceStep(
                interval=interval,
                per_kwh=price_of(price, unit),
                source_id=asked.source_id,
                as_of=as_of,
            )
            for interval, price in _points(period, resolution, repeats=curve == _VARIABLE)
        )
        yield _Curve(resolution=resolution, prices=PriceTimeline.of(asked.area, currency, steps))


def _points(
    period: Element, resolution: timedelta, *, repeats: bool
) -> Iterator[tuple[Interval, str]]:
    """Every position that has a price: its own, or (A03) that of the last point before it."""
    begins = instant_of(_text(period, "timeInterval/{*}start"))
    ends = instant_of(_text(period, "timeInterval/{*}end"))
    count, rest = divmod(ends - begins, resolution)
    if rest or not 0 < count <= _MOST_POINTS:
        raise ProtocolError("a period is no whole number of its resolution, or too long")
    named: dict[int, str] = {}
    for point in period.iterfind("{*}Point"):
        position = _text(point, "position")
        if not position.isascii() or not position.isdigit() or not 0 < int(position) <= count:
            raise ProtocolError(f"position {position[:10]!r} of {count}")
        if int(position) in named:
            raise ProtocolError(f"position {position} comes twice")
        named[int(position)] = _text(point, "price.amount")
    price: str | None = None
    for place in range(count):
        price = named.get(place + 1, price if repeats else None)
        if price is not None:
            yield Interval.lasting(begins + place * resolution, resolution), price


def _text(parent: Element, name: str, default: str | None = None) -> str:
    found = parent.find("{*}" + name)
    text = None if found is None or found.text is None else found.text.strip()
    if text:
        return text
    if default is None:
        raise ProtocolError(f"{_local(parent)} without {name}")
    return default


def _local(element: Element) -> str:
    return str(element.tag).rpartition("}")[2]
