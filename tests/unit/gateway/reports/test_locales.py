"""Numbers and dates as people of a country write them; CSV for machines and for spreadsheets."""

import asyncio
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import ConfigError
from gateway.reports import words
from gateway.reports.audience import variant
from gateway.reports.locales import NEUTRAL, STYLES, preferred, style_named
from gateway.reports.pdf import rendered
from gateway.reports.tables import Table, as_csv
from gateway.reports.view import report_view
from gateway.reports.words import styled
from support.participation import build_report

DAY = date(2026, 3, 7)


@pytest.mark.row("mv:M6")
@pytest.mark.parametrize(
    ("tag", "large", "small", "day"),
    [
        ("", "1\u202f234\u202f567.5", "12.3", "Sat 7 Mar 2026"),
        ("en-US", "1,234,567.5", "12.3", "Sat Mar 7, 2026"),
        ("en-GB", "1,234,567.5", "12.3", "Sat 7 Mar 2026"),
        ("de-DE", "1.234.567,5", "12,3", "Sat 07.03.2026"),
        ("de-CH", "1\u2019234\u2019567.5", "12.3", "Sat 07.03.2026"),
        ("fr-FR", "1\u202f234\u202f567,5", "12,3", "Sat 07/03/2026"),
        ("fr-CA", "1\u00a0234\u00a0567,5", "12,3", "Sat 2026-03-07"),
        ("nl-BE", "1.234.567,5", "12,3", "Sat 07/03/2026"),
        ("sv-SE", "1\u00a0234\u00a0567,5", "12,3", "Sat 2026-03-07"),
        ("ja-JP", "1,234,567.5", "12.3", "Sat 2026/03/07"),
    ],
)
def test_each_writes_its_own_way(tag: str, large: str, small: str, day: str) -> None:
    style = style_named(tag) if tag else NEUTRAL
    assert (style.number("1234567.5"), style.number("12.3")) == (large, small)
    assert style.day(DAY) == day


def test_where_four_digits_stand_together() -> None:
    assert style_named("es-ES").number("1234") == "1234"
    assert style_named("es-ES").number("-12345.6") == "-12.345,6"
    assert style_named("de-DE").number("1234") == "1.234"


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("", ""),
        ("de-CH", "de-CH"),
        ("DE", "de-DE"),
        ("en", "en-US"),
        ("fr-LU,en;q=0.5", "fr-FR"),
        ("en;q=0.5, nl-BE;q=0.9", "nl-BE"),
        ("xx-YY, it;q=0.1", "it-IT"),
        ("de;q=0, fr;q=0.2", "fr-FR"),
        ("*", ""),
        ("de;q=no, ;;;,=", ""),
        ("," * 500 + "de", ""),
    ],
)
def test_what_a_browser_prefers(header: str, name: str) -> None:
    assert preferred(header).name == name


@given(st.text(max_size=200))
def test_no_header_breaks_it(header: str) -> None:
    assert preferred(header).name in {"", *STYLES}


def test_a_language_nobody_knows_is_told_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="no such locale 'tlh': use one of en-US"):
        style_named("tlh")


@given(st.sampled_from(sorted(STYLES)), st.floats(-1e9, 1e9))
def test_every_number_can_be_read_back(tag: str, value: float) -> None:
    style = style_named(tag)
    plain = f"{value:.3f}"
    shown = style.number(plain)
    assert shown.replace(style.group, "").replace(style.decimal, ".") == plain


def test_words_follow_within_and_only_within_threads_too() -> None:
    with styled(style_named("de-DE")):
        assert words.number(-1234.5) == "\N{MINUS SIGN}1.234"
        assert words.kilo(12_345.0) == "12,3"
        assert words.money(Decimal("1234.50"), "EUR") == "1.234,50 EUR"
        assert words.day(datetime(2026, 11, 21, tzinfo=UTC), UTC) == "Sat 21.11.2026"

        async def elsewhere() -> str:
            return await asyncio.to_thread(words.kilo, 1_500.0)

        assert asyncio.run(elsewhere()) == "1,5"
    assert words.kilo(1_500.0) == "1.5"


@pytest.mark.row("mv:M6")
@pytest.mark.parametrize("tag", sorted(STYLES))
def test_a_report_is_written_so_and_can_be_set(tag: str) -> None:
    report = build_report()
    with styled(style_named(tag)):
        view = report_view(variant(report))
    delivered = {one.key: one.value for one in view.figures}["delivered"]
    assert ("," in delivered) == (STYLES[tag].decimal == ",")
    if tag in ("de-CH", "fr-FR", "sv-SE"):  # each group sign once
        with styled(style_named(tag)):
            assert rendered(variant(report)).startswith(b"%PDF")


@pytest.mark.row("mv:M7")
def test_csv_is_for_machines_unless_a_spreadsheet_is_named() -> None:
    table = Table(name="t", columns=("at", "kw", "n"), rows=[("2026-03-07T00:00", -1.5, 1234)])
    assert as_csv(table) == b"at,kw,n\r\n2026-03-07T00:00,-1.5,1234\r\n"
    german = as_csv(table, style_named("de-DE")).decode("utf-8-sig")
    assert german == "at;kw;n\r\n2026-03-07T00:00;-1,5;1234\r\n"
    assert as_csv(table, style_named("en-US")).decode("utf-8-sig") == as_csv(table).decode()
