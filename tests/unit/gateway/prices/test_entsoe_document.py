"""ENTSO-E documents: what is written, what is left out, and what makes no sense."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import PermanentError, ProtocolError
from gateway.domain.price.merge import Publication
from gateway.prices.entsoe_document import Asked, publication
from support.prices import hours

NL = "10YNL----------L"
ASKED = Asked(source_id="nl", area=NL, sequence=1)
WINDOW = hours(0, 3)


def series(
    points: str,
    *,
    resolution: str = "PT60M",
    curve: str = "A03",
    end: str = "03:00Z",
    unit: str = "MWH",
    contract: str = "A01",
    sequence: str = "",
    area: str = NL,
    currency: str = "EUR",
) -> str:
    where = f'codingScheme="A01">{area}'
    place = "classificationSequence_AttributeInstanceComponent.position"
    return (
        f"<TimeSeries><mRID>1</mRID><in_Domain.mRID {where}</in_Domain.mRID>"
        f"<out_Domain.mRID {where}</out_Domain.mRID>"
        f"<contract_MarketAgreement.type>{contract}</contract_MarketAgreement.type>"
        + (f"<{place}>{sequence}</{place}>" if sequence else "")
        + f"<currency_Unit.name>{currency}</currency_Unit.name>"
        f"<price_Measure_Unit.name>{unit}</price_Measure_Unit.name><curveType>{curve}</curveType>"
        f"<Period><timeInterval><start>2026-11-27T00:00Z</start><end>2026-11-27T{end}</end>"
        f"</timeInterval><resolution>{resolution}</resolution>{points}</Period></TimeSeries>"
    )


def point(position: object, price: object) -> str:
    return f"<Point><position>{position}</position><price.amount>{price}</price.amount></Point>"


def document(*parts: str, created: str = "2026-11-26T11:50:00Z") -> bytes:
    namespace = "urn:iec62325.351:tc57wg16:451-3:publicationdocument:7:3"
    return (
        f'<Publication_MarketDocument xmlns="{namespace}"><type>A44</type>'
        f"<createdDateTime>{created}</createdDateTime>{''.join(parts)}</Publication_MarketDocument>"
    ).encode()


def read(*parts: str) -> Publication | None:
    return publication(document(*parts), ASKED, WINDOW)


def values(said: Publication | None) -> list[float | None]:
    assert said is not None
    series = said.prices.series()
    return [series.value_at(hours(one, one + 1).start) for one in range(3)]


@pytest.mark.row("portfolio:U8")
@pytest.mark.parametrize(
    ("curve", "expected"),
    [("A03", [0.1, 0.1, 0.3]), ("A01", [0.1, None, 0.3])],
    ids=["A03 repeats what is left out", "A01 has a gap"],
)
def test_a_point_that_is_left_out(curve: str, expected: list[float | None]) -> None:
    assert values(read(series(point(1, 100) + point(3, 300), curve=curve))) == expected


def test_before_the_first_point_of_a_curve_there_is_nothing_to_repeat() -> None:
    assert values(read(series(point(2, -50)))) == [None, -0.05, -0.05]


def test_the_finest_resolution_holds_where_several_describe_a_time() -> None:
    quarters = series("".join(point(i, i) for i in range(1, 5)), resolution="PT15M", end="01:00Z")
    said = read(series(point(1, 100)), quarters)
    assert said is not None
    assert [one.per_kwh for one in said.prices] == [
        *(Decimal(i) / 1000 for i in range(1, 5)),
        Decimal("0.1"),
        Decimal("0.1"),
    ]


@pytest.mark.parametrize(
    "other",
    [
        series(point(1, 7), contract="A07"),
        series(point(1, 7), sequence="2"),
        series(point(1, 7), area="10YFR-RTE------C"),
    ],
    ids=["intraday", "another auction", "another zone"],
)
def test_what_was_not_asked_for_is_left_out(other: str) -> None:
    assert values(read(other, series(point(1, 100), sequence="1"))) == [0.1, 0.1, 0.1]
    assert read(other) is None


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (series(point(1, "NaN")), "no price"),
        (series(point(1, "1e9")), "beyond any market"),
        (series(point(1, "ten")), "no price"),
        (series(point(4, 1)), "position '4' of 3"),
        (series(point(0, 1)), "position"),
        (series(point("²", 1)), "position"),
        (series(point(1, 1) * 2), "twice"),
        (series(point(1, 1), resolution="P1D"), "resolution"),
        (series(point(1, 1), resolution="PT60M", end="02:30Z"), "whole number"),
        (series(point(1, 1), curve="A02"), "curve type"),
        (series(point(1, 1), unit="THM"), "no price"),
        (series(point(1, 1)) + series(point(1, 1), currency="SEK"), "EUR and SEK"),
        (series(""), None),
        ("<TimeSeries/>", "without"),
    ],
)
def test_nonsense_is_refused(part: str, words: str | None) -> None:
    if words is None:
        assert read(part) is None
        return
    with pytest.raises(ProtocolError, match=words):
        read(part)


def acknowledged(code: str, text: str) -> bytes:
    namespace = "urn:iec62325.351:tc57wg16:451-1:acknowledgementdocument:7:0"
    return (
        f'<Acknowledgement_MarketDocument xmlns="{namespace}"><Reason><code>{code}</code>'
        f"<text>{text}</text></Reason></Acknowledgement_MarketDocument>"
    ).encode()


def test_no_data_yet_is_no_fault_and_anything_else_is_said() -> None:
    nothing = acknowledged("999", "No matching data found for Data item Day-ahead Prices")
    assert publication(nothing, ASKED, WINDOW) is None
    with pytest.raises(PermanentError, match="999: Delivered time interval is not valid"):
        publication(acknowledged("999", "Delivered time interval is not valid"), ASKED, WINDOW)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>maintenance</body></html>",
        document(series(point(1, 1)))[:-40],
        b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        document(created="yesterday"),
        document(created="2026-11-26T11:50:00"),
        b"<a>" * 60 + b"</a>" * 60,
    ],
)
def test_what_is_no_document_is_refused(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        publication(body, ASKED, WINDOW)


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_no_bytes_crash_it(body: bytes) -> None:
    with pytest.raises((ProtocolError, PermanentError)):
        publication(body, ASKED, WINDOW)
