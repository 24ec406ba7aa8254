"""Documents as ENTSO-E's Transparency Platform writes them (IEC 62325-451-3 and -451-1)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from xml.sax.saxutils import escape

_PUBLICATION = "urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3"
_ACKNOWLEDGEMENT = "urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0"

Priced = tuple[datetime, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedDay:
    """One time series: a market day."""

    start: datetime
    end: datetime
    resolution_min: int
    prices: Sequence[Priced]


def publication(
    area: str, days: Iterable[PricedDay], created: datetime, *, curve: str = "A03"
) -> str:
    """A publication document; with curve type A03 a price that stays the same is left out."""
    series = "".join(_series(i, area, day, curve) for i, day in enumerate(days, 1))
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n'
        f'<Publication_MarketDocument xmlns="{_PUBLICATION}">'
        f"<mRID>{created:%Y%m%d%H%M%S}</mRID><revisionNumber>1</revisionNumber><type>A44</type>"
        f'<sender_MarketParticipant.mRID codingScheme="A01">10X1001A1001A450'
        f"</sender_MarketParticipant.mRID>"
        f"<sender_MarketParticipant.marketRole.type>A32</sender_MarketParticipant.marketRole.type>"
        f"<createdDateTime>{created:%Y-%m-%dT%H:%M:%SZ}</createdDateTime>"
        f"{series}</Publication_MarketDocument>\n"
    )


def acknowledgement(code: str, text: str, created: datetime) -> str:
    """What the platform answers instead of data."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n'
        f'<Acknowledgement_MarketDocument xmlns="{_ACKNOWLEDGEMENT}">'
        f"<mRID>{created:%Y%m%d%H%M%S}</mRID>"
        f"<createdDateTime>{created:%Y-%m-%dT%H:%M:%SZ}</createdDateTime>"
        f"<Reason><code>{code}</code><text>{escape(text)}</text></Reason>"
        f"</Acknowledgement_MarketDocument>\n"
    )


def _series(number: int, area: str, day: PricedDay, curve: str) -> str:
    zone = f'codingScheme="A01">{escape(area)}'
    return (
        f"<TimeSeries><mRID>{number}</mRID><auction.type>A01</auction.type>"
        f"<businessType>A62</businessType>"
        f"<in_Domain.mRID {zone}</in_Domain.mRID><out_Domain.mRID {zone}</out_Domain.mRID>"
        f"<contract_MarketAgreement.type>A01</contract_MarketAgreement.type>"
        f"<currency_Unit.name>EUR</currency_Unit.name>"
        f"<price_Measure_Unit.name>MWH</price_Measure_Unit.name><curveType>{curve}</curveType>"
        f"<Period><timeInterval><start>{_minute(day.start)}</start><end>{_minute(day.end)}</end>"
        f"</timeInterval><resolution>PT{day.resolution_min}M</resolution>"
        f"{''.join(_points(day, curve))}</Period></TimeSeries>"
    )


def _points(day: PricedDay, curve: str) -> Iterable[str]:
    step, before = timedelta(minutes=day.resolution_min), None
    for at, price in day.prices:
        if curve == "A03" and price == before:
            continue
        before = price
        position = 1 + (at - day.start) // step
        yield (
            f"<Point><position>{position}</position><price.amount>{price}</price.amount></Point>"
        )


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%MZ}"
