"""Every word of the schema's lists can be sent and read, and no other; units likewise."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from contracts.openadr import words
from contracts.openadr.codec import decode, encode
from contracts.openadr.payloads import (
    CreateOpt,
    DistributeEvent,
    ItemBase,
    Payload,
    RegisterReport,
    UpdateReport,
)
from contracts.openadr.schema import validate
from contracts.openadr.xml import units

XS = "{http://www.w3.org/2001/XMLSchema}"
LISTS = {
    "SignalNameEnumeratedType": words.SignalName,
    "SignalTypeEnumeratedType": words.SignalType,
    "reportNameEnumeratedType": words.ReportName,
    "ReportEnumeratedType": words.ReportType,
    "ReadingTypeEnumeratedType": words.ReadingType,
    "oadrDataQualityType": words.DataQuality,
    "OptReasonEnumeratedType": words.OptReason,
    "oadrProfileType": words.ProfileName,
    "oadrTransportType": words.TransportName,
    "oadrServiceNameType": words.ServiceName,
}


def listed() -> dict[str, set[str]]:
    """The schema's own lists by the name of their type."""
    spec = find_spec("openleadr")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    found: dict[str, set[str]] = {}
    for file in (Path(spec.submodule_search_locations[0]) / "schema").glob("oadr_*.xsd"):
        for kind in etree.parse(str(file)).getroot().iter(XS + "simpleType"):
            values = {str(e.get("value")) for e in kind.iter(XS + "enumeration")}
            if values and kind.get("name"):
                found[str(kind.get("name"))] = values
    return found


def test_the_lists_are_the_schemas() -> None:
    schema = listed()
    schema["SignalNameEnumeratedType"].remove("simple")  # read as SIMPLE
    assert {name: {str(w) for w in kind} for name, kind in LISTS.items()} == {
        name: schema[name] for name in LISTS
    }
    assert schema["ISO3AlphaCurrencyCodeContentType"] == units._CURRENCIES


def with_signal(samples: dict[str, Payload], **changes: Any) -> Payload:
    batch = samples["DistributeEvent"]
    assert isinstance(batch, DistributeEvent)
    (event,) = batch.events
    signal = replace(event.signals[0], **changes)
    return replace(batch, events=(replace(event, signals=(signal,)),))


def with_description(samples: dict[str, Payload], **changes: Any) -> Payload:
    message = samples["RegisterReport"]
    assert isinstance(message, RegisterReport)
    (report,) = message.reports
    description = replace(report.descriptions[0], **changes)
    return replace(message, reports=(replace(report, descriptions=(description,)),))


def with_quality(samples: dict[str, Payload], quality: str) -> Payload:
    message = samples["UpdateReport"]
    assert isinstance(message, UpdateReport)
    (report,) = message.reports
    interval = report.intervals[0]
    payload = replace(interval.payloads[0], data_quality=quality)
    interval = replace(interval, payloads=(payload,))
    return replace(message, reports=(replace(report, intervals=(interval,)),))


def with_reason(samples: dict[str, Payload], reason: str) -> Payload:
    message = samples["CreateOpt"]
    assert isinstance(message, CreateOpt)
    return replace(message, reason=reason)


Maker = Callable[[dict[str, Payload], str], Payload]
PLACES: list[tuple[type[StrEnum], Maker]] = [
    (words.SignalName, lambda s, w: with_signal(s, name=w)),
    (words.SignalType, lambda s, w: with_signal(s, type=w)),
    (words.ReportType, lambda s, w: with_description(s, report_type=w)),
    (words.ReadingType, lambda s, w: with_description(s, reading_type=w)),
    (words.DataQuality, with_quality),
    (words.OptReason, with_reason),
]


@pytest.mark.parametrize(("kind", "make"), PLACES, ids=[kind.__name__ for kind, _ in PLACES])
def test_every_word_is_valid_and_read_back(
    samples: dict[str, Payload], kind: type[StrEnum], make: Maker
) -> None:
    for word in kind:
        payload = make(samples, word.value)
        data = encode(payload)
        validate(data)
        assert decode(data) == payload


@pytest.mark.parametrize(("kind", "make"), PLACES, ids=[kind.__name__ for kind, _ in PLACES])
def test_no_other_word_is_sent(
    samples: dict[str, Payload], kind: type[StrEnum], make: Maker
) -> None:
    for word in ("", "other", "X-y", "x-", "x- y", "x-a\nb"):
        with pytest.raises(ValueError, match=kind.__name__):
            encode(make(samples, word))
    if kind is not words.SignalType:
        validate(encode(make(samples, "x-ours")))


@pytest.mark.parametrize("kind", sorted(units._KINDS))
def test_every_kind_of_unit_is_valid_without_a_description(
    samples: dict[str, Payload], kind: str
) -> None:
    unit = units._KINDS[kind]
    for text in unit.units or ("EUR",):
        item = ItemBase(kind=kind, units=text)
        if unit.is_power:
            item = ItemBase.power(kind, text)
        if kind == "pulseCount":
            item = ItemBase.pulse_count(0.5)
        for payload in (with_signal(samples, item=item), with_description(samples, item=item)):
            validate(encode(payload))


@pytest.mark.parametrize(
    "item",
    [
        ItemBase(kind="energyReal", units="kWh"),
        ItemBase(kind="powerReal", units="W"),
        ItemBase(kind="voltage", units="V", pulse_factor=1.0),
        ItemBase(kind="pulseCount", units="count"),
        ItemBase(kind="currency", units="eur"),
        ItemBase(kind="currency", units="XYZ"),
        ItemBase(kind="voltage", units="V", description="tension"),
        ItemBase(kind="voltage", units="V", si_scale_code="K"),
        ItemBase(kind="happiness", units="smiles"),
    ],
)
def test_no_other_unit_is_sent(samples: dict[str, Payload], item: ItemBase) -> None:
    with pytest.raises(ValueError, match=item.kind + r"|unit of|siScaleCode"):
        encode(with_signal(samples, item=item))
