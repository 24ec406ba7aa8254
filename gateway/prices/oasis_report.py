"""OASIS reports to prices: a zip of one CSV or XML file that may come from an enemy."""

from __future__ import annotations

import csv
import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from contracts.errors import PermanentError, ProtocolError
from contracts.hostile_xml import Element, parse
from contracts.time import Interval
from gateway.domain.price.merge import Publication
from gateway.domain.price.timeline import PriceStep, PriceTimeline
from gateway.prices.reading import instant_of, price_of

MAX_UNZIPPED = 16 * 1024 * 1024
MAX_FILES = 4
_MOST_ROWS = 20_000
_UNIT, _CURRENCY = "MWh", "USD"
_NO_DATA = "1000"
_MOST_REASON = 200
_PRICE_COLUMNS = ("MW", "VALUE", "PRC")
"""OASIS names the column of a price after its unit's denominator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is looked for in a report."""

    source_id: str
    node: str
    as_of: datetime


def publication(body: bytes, asked: Asked, window: Interval) -> Publication | None:
    """What a zipped report says about a window; None: there is nothing (yet).

    Raises:
        ProtocolError: it is no such report, too large, or contradicts itself.
        PermanentError: OASIS says why it does not answer.
    """
    steps: list[PriceStep] = []
    for name, content in unzipped(body):
        rows = _csv_rows(content) if name.lower().endswith(".csv") else _xml_rows(content)
        for row in rows:
            if row.get("node") != asked.node or row.get("item") != "LMP":
                continue
            steps.append(_step(row, asked))
    try:
        prices = PriceTimeline.of(asked.node, _CURRENCY, steps).clip(window)
    except ValueError as error:
        raise ProtocolError(f"it contradicts itself: {error}") from error
    return Publication(window=window, prices=prices) if prices.steps else None


def unzipped(body: bytes) -> Iterator[tuple[str, bytes]]:
    """(name, content) of the files in an archive, bounded whatever the archive claims.

    Raises:
        ProtocolError: no archive, damaged, locked, or more than fits the bounds.
    """
    left = MAX_UNZIPPED
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            files = [one for one in archive.infolist() if not one.is_dir()]
            if len(files) > MAX_FILES:
                raise ProtocolError(f"an archive of {len(files)} files")
            for one in files:
                with archive.open(one) as opened:
                    content = opened.read(left + 1)
                left -= len(content)
                if left < 0:
                    raise ProtocolError(f"an archive of more than {MAX_UNZIPPED} bytes unpacked")
                yield one.filename, content
    except (zipfile.BadZipFile, zlib.error, RuntimeError, NotImplementedError, EOFError) as error:
        raise ProtocolError(f"no archive that can be read: {error}") from error


def _step(row: Mapping[str, str], asked: Asked) -> PriceStep:
    try:
        return PriceStep(
            interval=Interval(start=instant_of(row["start"]), end=instant_of(row["end"])),
            per_kwh=price_of(row["price"], _UNIT),
            source_id=asked.source_id,
            as_of=asked.as_of,
        )
    except (KeyError, ValueError) as error:
        raise ProtocolError(f"a row without a sensible time or price: {error}") from error


def _csv_rows(content: bytes) -> Iterator[dict[str, str]]:
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig")), strict=True)
        price = next((one for one in _PRICE_COLUMNS if one in (reader.fieldnames or ())), None)
        if price is None:
            raise ProtocolError("the report has no column of prices")
        for number, row in enumerate(reader):
            if number >= _MOST_ROWS:
                raise ProtocolError(f"a report of more than {_MOST_ROWS} rows")
            yield {
                "node": row.get("NODE") or "",
                "item": row.get("LMP_TYPE") or "",
                "start": row.get("INTERVALSTARTTIME_GMT") or "",
                "end": row.get("INTERVALENDTIME_GMT") or "",
                "price": row.get(price) or "",
            }
    except (UnicodeDecodeError, csv.Error) as error:
        raise ProtocolError(f"no CSV: {error}") from error


def _xml_rows(content: bytes) -> Iterator[dict[str, str]]:
    root = parse(content, MAX_UNZIPPED)
    error = next(root.iter("{*}ERROR"), None)
    if error is not None:
        _explain(error)
        return
    for number, row in enumerate(root.iter("{*}REPORT_DATA")):
        if number >= _MOST_ROWS:
            raise ProtocolError(f"a report of more than {_MOST_ROWS} rows")
        yield {
            "node": _text(row, "RESOURCE_NAME"),
            "item": "LMP" if _text(row, "DATA_ITEM") == "LMP_PRC" else "",
            "start": _text(row, "INTERVAL_START_GMT"),
            "end": _text(row, "INTERVAL_END_GMT"),
            "price": _text(row, "VALUE"),
        }


def _explain(error: Element) -> None:
    """Nothing for a selection without data; else what OASIS has against it.

    Raises:
        PermanentError: another reason.
    """
    code, text = _text(error, "ERR_CODE"), _text(error, "ERR_DESC")
    if code != _NO_DATA:
        raise PermanentError(f"OASIS says {code[:10]}: {text[:_MOST_REASON]}")


def _text(parent: Element, name: str) -> str:
    found = parent.find("{*}" + name)
    return "" if found is None or found.text is None else found.text.strip()
