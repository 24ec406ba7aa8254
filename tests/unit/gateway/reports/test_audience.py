"""Who sees what of a report, and that nothing more is in any file made of it."""

import io
import json
import zipfile
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import PermanentError
from gateway.domain.measure.report import ParticipationReport, ReportException
from gateway.domain.settle.line import Kind
from gateway.domain.settle.parts import parts_of, weights_kwh
from gateway.domain.settle.sharing import Sharing
from gateway.reports.audience import NO_CONTRACT, Audience, variant
from gateway.reports.document import dump
from gateway.reports.files import KINDS, report_file
from gateway.reports.view import report_view
from support.participation import START, build_report

SHARING = {
    "north-yard": Sharing(site_share=Decimal("0.8")),
    "harbor": Sharing(site_share=Decimal("0.75"), site_share_of_charges=Decimal("0.5")),
}
OTHERS = (
    "north-yard",
    "North Yard",
    "east-fleet",
    "East Fleet",
    "2 of 3 sites",
    "105 kW",
    "105.0 kW",
)


@pytest.fixture(scope="module")
def shared() -> ParticipationReport:
    """With contracts of two of three sites, a vehicle by name and a penalty that has a price."""
    report = build_report()
    charge = replace(
        report.lines[1], amount=Decimal("-19.20"), currency="USD", price=Decimal(2), problem=""
    )
    short = ReportException(
        at=START, site_id="harbor", kind="vehicle-short", subject="van-7", text="Ada's, 4 kWh short"
    )
    return replace(
        report,
        sharing=SHARING,
        lines=(report.lines[0], charge),
        exceptions=(*report.exceptions, short),
    )


@pytest.mark.row("mv:M6")
def test_an_owner_sees_their_site_and_nothing_from_which_others_could_be_told(
    shared: ParticipationReport,
) -> None:
    mine = variant(shared, Audience.OWNER, "harbor")
    said = json.dumps(dump(mine.report))
    assert [word for word in OTHERS if word in said.replace('"event_key', "")] == []
    assert [site.site_id for site in mine.report.sites] == ["harbor"]
    assert mine.report.curves == shared.sites[1].curves
    assert {one.site_id for one in mine.report.exceptions} == {"harbor"}
    assert "Harbor" in mine.words


def test_an_owner_is_told_their_own_part_of_the_money(shared: ParticipationReport) -> None:
    energy, charge = variant(shared, Audience.OWNER, "harbor").report.lines
    assert (energy.quantity, energy.amount) == (Decimal("82.6"), Decimal("123.90"))
    assert "75 %" in energy.words
    assert charge.amount == Decimal("-7.40")  # half of 7.4 of 9.6 kWh missed, of 19.20 USD
    assert parts_of(shared, shared.lines[1]) == (
        Decimal("-11.80"),
        {"north-yard": Decimal(0), "harbor": Decimal("-7.40")},
    )


def test_without_a_contract_an_owner_is_told_so_not_zero(shared: ParticipationReport) -> None:
    lines = variant(shared, Audience.OWNER, "east-fleet").report.lines
    assert [(line.amount, line.problem) for line in lines] == [(None, NO_CONTRACT)] * 2


def test_a_utility_sees_no_owners_money_words_or_vehicles(shared: ParticipationReport) -> None:
    report = variant(shared, Audience.UTILITY).report
    said = json.dumps(dump(report))
    assert report.lines == shared.lines
    for private in ("Ada", "van-7", "early departures"):
        assert private not in said
    assert report.sharing == {}
    assert report_view(variant(shared, Audience.UTILITY)).parts == ()


def test_the_operator_sees_who_gets_what_to_the_cent(shared: ParticipationReport) -> None:
    rows = report_view(variant(shared)).parts
    assert [(row.who, row.amount) for row in rows] == [
        ("Aggregator", "76.62 USD"),
        ("North Yard Bus Depot", "188.48 USD"),
        ("Harbor Street Vans", "116.50 USD"),
    ]
    assert sum(Decimal(row.amount.split()[0]) for row in rows) == Decimal("381.60")


@pytest.mark.parametrize("site_id", ["", "nobody"])
def test_an_owner_is_one_of_a_site_that_took_part(
    shared: ParticipationReport, site_id: str
) -> None:
    with pytest.raises(PermanentError, match="north-yard, harbor, east-fleet"):
        variant(shared, Audience.OWNER, site_id)


@given(
    cents=st.integers(-1_000_000, 1_000_000),
    shares=st.lists(st.integers(0, 100), min_size=3, max_size=3),
    kind=st.sampled_from([Kind.ENERGY, Kind.PENALTY]),
)
def test_parts_are_the_line_whatever_the_contracts(
    cents: int, shares: list[int], kind: Kind
) -> None:
    report = build_report()
    contracts = {
        site.site_id: Sharing(
            site_share=Decimal(share) / 100, site_share_of_charges=Decimal(share) / 100
        )
        for site, share in zip(report.sites, shares, strict=True)
    }
    line = replace(report.lines[0], amount=Decimal(cents) / 100, kind=kind)
    parts = parts_of(replace(report, sharing=contracts), line)
    assert parts is not None
    assert parts[0] + sum(parts[1].values()) == line.amount
    assert all(weight >= 0 for weight in weights_kwh(report, line).values())


@pytest.mark.parametrize("ending", sorted(KINDS))
async def test_no_file_of_an_owner_names_another_site(
    shared: ParticipationReport, ending: str
) -> None:
    content = await report_file(variant(shared, Audience.OWNER, "harbor"), ending)
    if ending == "xlsx":
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            content = b"".join(book.read(name) for name in book.namelist())
    assert content
    assert b"north-yard" not in content
    assert b"North Yard" not in content
