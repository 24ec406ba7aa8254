"""Archives as CAISO's OASIS sends them: one zipped CSV, or XML for what went wrong."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from xml.sax.saxutils import escape

_HOUR = timedelta(hours=1)
_COLUMNS = (
    "INTERVALSTARTTIME_GMT,INTERVALENDTIME_GMT,OPR_DT,OPR_HR,OPR_INTERVAL,NODE_ID_XML,NODE_ID,"
    "NODE,MARKET_RUN_ID,LMP_TYPE,XML_DATA_ITEM,PNODE_RESMRID,GRP_TYPE,POS,MW,GROUP"
)
_ITEMS = (("LMP", "LMP_PRC"), ("MCE", "LMP_ENE_PRC"), ("MCC", "LMP_CONG_PRC"))
"""The price, and two of the components OASIS lists beside it."""


def csv_report(node: str, prices: Iterable[tuple[datetime, Decimal]]) -> str:
    """Hourly prices of one node."""
    rows = [
        f"{_gmt(at)},{_gmt(at + _HOUR)},{at:%Y-%m-%d},{at.hour + 1},0,{node},{node},{node},DAM,"
        f"{kind},{item},{node},ALL_APNODES,0,{price if kind == 'LMP' else Decimal('1.00')},1"
        for at, price in prices
        for kind, item in _ITEMS
    ]
    return "\n".join([_COLUMNS, *rows]) + "\n"


def error_report(code: str, text: str, now: datetime) -> str:
    """What OASIS has to say instead of prices."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<m:OASISReport xmlns:m="http://www.caiso.com/soa/OASISReport_v1.xsd">'
        f"<m:MessageHeader><m:TimeDate>{now:%Y-%m-%dT%H:%M:%S-00:00}</m:TimeDate>"
        "<m:Source>OASIS</m:Source><m:Version>v20131201</m:Version></m:MessageHeader>"
        "<m:MessagePayload><m:RTO><m:name>CAISO</m:name>"
        f"<m:ERROR><m:ERR_CODE>{code}</m:ERR_CODE><m:ERR_DESC>{escape(text)}</m:ERR_DESC></m:ERROR>"
        "</m:RTO></m:MessagePayload></m:OASISReport>\n"
    )


def zipped(name: str, content: str | bytes) -> bytes:
    """One file in an archive."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def _gmt(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%S}-00:00"
