"""Files of tables: read back by other means than they were written by."""

import io
import xml.etree.ElementTree as ET
import zipfile
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.domain.measure.report import ParticipationReport
from gateway.reports.audience import variant
from gateway.reports.export import intervals, tables
from gateway.reports.tables import Table, as_csv, as_parquet, as_xlsx, harmless

NOW = datetime(2026, 11, 1, tzinfo=UTC)
_NS = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}


def sheets(book: bytes) -> dict[str, list[list[tuple[str, str]]]]:
    """By name, the rows of each sheet as (type, value) of its cells; `f` for a formula."""
    with zipfile.ZipFile(io.BytesIO(book)) as files:
        read = {name: files.read(name) for name in files.namelist()}
    texts = [
        "".join(t.text or "" for t in item.iter(f"{{{_NS['m']}}}t"))
        for item in ET.fromstring(read["xl/sharedStrings.xml"]).findall("m:si", _NS)
    ]
    names = [
        s.get("name", "") for s in ET.fromstring(read["xl/workbook.xml"]).iter() if s.get("sheetId")
    ]

    def cell(node: ET.Element) -> tuple[str, str]:
        if node.find("m:f", _NS) is not None:
            return "f", ""
        value = node.findtext("m:v", "", _NS)
        return ("s", texts[int(value)]) if node.get("t") == "s" else ("n", value)

    return {
        name: [
            [cell(one) for one in row.findall("m:c", _NS)]
            for row in ET.fromstring(read[f"xl/worksheets/sheet{n}.xml"]).iter(f"{{{_NS['m']}}}row")
        ]
        for n, name in enumerate(names, 1)
    }


@pytest.mark.row("mv:M7")
def test_a_workbook_has_a_sheet_for_each_part(report: ParticipationReport) -> None:
    found = sheets(as_xlsx(tables(variant(report)), NOW))
    assert list(found) == [
        *("Summary", "Sites", "Shortfall", "Availability", "Anomalies"),
        *("Exceptions", "Data", "Changes", "Settlement", "Intervals"),
    ]
    assert found["Sites"][1][:3] == [
        ("s", "north-yard"),
        ("s", "North Yard Bus Depot"),
        ("n", "60"),
    ]
    energy = found["Settlement"][1]
    assert (energy[5], energy[6], energy[7]) == (("n", "400.8"), ("s", "USD"), ("s", "yes"))
    assert len(found["Intervals"]) == 1 + 4 * 16


def test_parquet_holds_what_csv_holds(report: ParticipationReport) -> None:
    table = intervals(report)
    found = pq.read_table(io.BytesIO(as_parquet(table)))
    assert tuple(found.column_names) == table.columns
    assert list(zip(*found.to_pydict().values(), strict=True)) == list(table.rows)


def test_money_stays_decimal_and_no_row_is_no_trouble() -> None:
    paid = Table(name="t", columns=("amount",), rows=[(Decimal("0.10"),), (None,)])
    found = pq.read_table(io.BytesIO(as_parquet(paid)))
    assert found.to_pydict() == {"amount": [Decimal("0.10"), None]}
    empty = Table(name="e", columns=("a", "b"), rows=[])
    assert as_csv(empty) == b"a,b\r\n"
    assert pq.read_table(io.BytesIO(as_parquet(empty))).column_names == ["a", "b"]
    assert sheets(as_xlsx([empty, paid], NOW)) == {
        "e": [[("s", "a"), ("s", "b")]],
        "t": [[("s", "amount")], [("n", "0.1")]],
    }


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_a_formula_is_only_text(begin: str) -> None:
    evil = f'{begin}HYPERLINK("http://x.example")'
    table = Table(name="t", columns=("a", "b"), rows=[(evil, -1.5)])
    line = as_csv(table).decode().split("\r\n", 1)[1]
    assert line.lstrip('"').startswith("'")
    assert line.endswith(",-1.5\r\n")
    if begin != "\r":  # XML reads it as a new line
        assert sheets(as_xlsx([table], NOW))["t"][1] == [("s", evil), ("n", "-1.5")]


@given(st.text(max_size=20))
def test_no_text_begins_like_a_formula(text: str) -> None:
    assert not str(harmless(text)).startswith(("=", "+", "-", "@"))


def test_the_same_tables_are_the_same_bytes(report: ParticipationReport) -> None:
    made = [as_xlsx(tables(variant(report)), NOW) for _ in range(2)]
    assert made[0] == made[1]
