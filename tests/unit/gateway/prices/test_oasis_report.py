"""OASIS archives: CSV, XML, errors, and archives made to hurt."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.errors import PermanentError, ProtocolError
from gateway.domain.price.merge import Publication
from gateway.prices.oasis_report import MAX_FILES, MAX_UNZIPPED, Asked, publication, unzipped
from support.prices import T0, hours

NODE = "TH_NP15_GEN-APND"
ASKED = Asked(source_id="np15", node=NODE, as_of=T0)
WINDOW = hours(0, 3)
COLUMNS = "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,NODE,MARKET_RUN_ID,LMP_TYPE,MW"


def archive(*files: tuple[str, str | bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files:
            made.writestr(name, content)
    return packed.getvalue()


def row(hour: int, price: str, *, kind: str = "LMP", node: str = NODE) -> str:
    start, end = (f"2026-11-27T{one:02d}:00:00-00:00" for one in (hour, hour + 1))
    return f"{start},{end},{node},DAM,{kind},{price}"


def table(*rows: str) -> bytes:
    return archive(("PRC_LMP_DAM.csv", "\n".join([COLUMNS, *rows])))


def xml(inner: str) -> bytes:
    return archive(
        (
            "PRC_LMP_DAM.xml",
            '<m:OASISReport xmlns:m="http://www.caiso.com/soa/OASISReport_v1.xsd">'
            f"<m:MessagePayload><m:RTO>{inner}</m:RTO></m:MessagePayload></m:OASISReport>",
        )
    )


def values(said: Publication | None) -> list[float | None]:
    assert said is not None
    series = said.prices.series()
    return [series.value_at(hours(one, one + 1).start) for one in range(3)]


@pytest.mark.row("portfolio:U8")
def test_the_price_and_not_its_components_in_any_order() -> None:
    rows = [row(2, "-12.5"), row(0, "40"), row(0, "3", kind="MCC"), row(1, "7", node="OTHER")]
    assert values(publication(table(*rows), ASKED, WINDOW)) == [0.04, None, -0.0125]


def test_the_same_as_xml() -> None:
    data = "".join(
        f"<m:REPORT_DATA><m:DATA_ITEM>{item}</m:DATA_ITEM><m:RESOURCE_NAME>{NODE}"
        "</m:RESOURCE_NAME><m:INTERVAL_START_GMT>2026-11-27T01:00:00-00:00</m:INTERVAL_START_GMT>"
        "<m:INTERVAL_END_GMT>2026-11-27T02:00:00-00:00</m:INTERVAL_END_GMT>"
        f"<m:VALUE>{price}</m:VALUE></m:REPORT_DATA>"
        for item, price in (("LMP_PRC", "31.4"), ("LMP_CONG_PRC", "1"))
    )
    said = publication(xml(f"<m:REPORT_ITEM>{data}</m:REPORT_ITEM>"), ASKED, WINDOW)
    assert values(said) == [None, 0.0314, None]


def error(code: str, text: str) -> bytes:
    return xml(f"<m:ERROR><m:ERR_CODE>{code}</m:ERR_CODE><m:ERR_DESC>{text}</m:ERR_DESC></m:ERROR>")


def test_no_data_yet_is_no_fault_and_anything_else_is_said() -> None:
    nothing = error("1000", "No data returned for the specified selection")
    assert publication(nothing, ASKED, WINDOW) is None
    with pytest.raises(PermanentError, match="OASIS says 1004: Invalid node"):
        publication(error("1004", "Invalid node"), ASKED, WINDOW)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"PK\x03\x04 not really", "no archive"),
        (b"", "no archive"),
        (table(row(0, "1"))[:-10], "no archive"),
        (archive(*((f"{i}.csv", COLUMNS) for i in range(MAX_FILES + 1))), "archive of 5 files"),
        (archive(("bomb.csv", b"0" * (MAX_UNZIPPED + 1))), "unpacked"),
        (archive(("a.csv", "a,b,c\n1,2,3")), "no column of prices"),
        (archive(("a.csv", b"\xff\xfe\x00")), "no CSV"),
        (archive(("a.xml", "<!DOCTYPE a><a/>")), "DOCTYPE"),
        (table(row(0, "cheap")), "no price"),
        (table(row(0, "1").replace("2026", "soon")), "no time"),
        (table(row(0, "1"), row(0, "2")), "contradicts"),
    ],
    ids=[
        "no zip",
        "empty",
        "cut",
        "many files",
        "bomb",
        "other table",
        "no text",
        "doctype",
        "no number",
        "no time",
        "two prices",
    ],
)
def test_nonsense_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(ProtocolError, match=words):
        publication(body, ASKED, WINDOW)


def test_two_files_share_the_bound() -> None:
    half = b"0" * (MAX_UNZIPPED // 2 + 1)
    with pytest.raises(ProtocolError, match="unpacked"):
        list(unzipped(archive(("a.csv", half), ("b.csv", half))))


def test_an_archive_may_not_lie_about_its_size() -> None:
    honest = archive(("bomb.csv", b"0" * (MAX_UNZIPPED + 1)))
    size = (MAX_UNZIPPED + 1).to_bytes(4, "little")
    liar = honest.replace(size, (10).to_bytes(4, "little"))
    assert liar != honest
    with pytest.raises(ProtocolError):
        list(unzipped(liar))


@given(st.binary(max_size=300))
def test_no_bytes_crash_it(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        publication(body, ASKED, WINDOW)
