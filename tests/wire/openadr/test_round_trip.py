"""Whatever is encoded is valid, and is read back unchanged: any identifier, text, number, time."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.openadr import payloads, words
from contracts.openadr.codec import decode, encode
from contracts.openadr.payloads import Payload
from contracts.openadr.schema import validate

Strategy = st.SearchStrategy[Any]

TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff")
    | st.sampled_from("<>&\"'\n\r\t"),
    max_size=12,
)
EXTENSION = st.text("abcXYZ019-_.", min_size=1, max_size=12).map(lambda s: f"x-{s}")


def word(kind: type[StrEnum]) -> Strategy:
    return st.sampled_from([member.value for member in kind])


def open_word(kind: type[StrEnum]) -> Strategy:
    return word(kind) | EXTENSION


URI = st.from_regex(r"https?://[a-z.]{1,9}/[a-zA-Z0-9._~%20?=&-]{0,9}", fullmatch=True).filter(
    lambda s: "%" not in s
) | st.just("MarketContext1")
SPAN = st.integers(0, 10**7).map(lambda s: timedelta(seconds=s))
# hypothesis wants naive bounds beside `timezones`
WHEN = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
PLAIN: dict[object, Strategy] = {
    str: TEXT,
    int: st.integers(0, 2**32 - 1),
    bool: st.booleans(),
    float: NUMBER,
    timedelta: SPAN,
    datetime: WHEN,
    types.NoneType: st.none(),
}
SCALE = st.sampled_from(("p", "n", "micro", "m", "c", "d", "none", "k", "M", "G", "T"))
FIXED = (
    ("energyReal", "Wh", "RealEnergy"),
    ("energyReactive", "VARh", "ReactiveEnergy"),
    ("energyApparent", "VAh", "ApparentEnergy"),
    ("voltage", "V", "Voltage"),
    ("current", "A", "Current"),
    ("frequency", "Hz", "Frequency"),
    ("temperature", "celsius", "temperature"),
    ("temperature", "fahrenheit", "temperature"),
    ("Therm", "thm", "Therm"),
    ("currency", "EUR", "currency"),
    ("currencyPerKW", "USD", "currencyPerKW"),
    ("currencyPerKWh", "CHF", "currencyPerKWh"),
    ("currencyPerThm", "GBP", "currency"),
)
POWERS = (
    ("powerReal", "W"),
    ("powerReal", "J/s"),
    ("powerReactive", "VAR"),
    ("powerApparent", "VA"),
)
PLAIN[payloads.ItemBase] = st.one_of(
    st.builds(
        lambda power, scale, attributes: dataclasses.replace(
            payloads.ItemBase.power(power[0], power[1], scale), power_attributes=attributes
        ),
        st.sampled_from(POWERS),
        SCALE,
        st.builds(payloads.PowerAttributes, hertz=NUMBER, voltage_v=NUMBER, ac=st.booleans()),
    ),
    st.builds(payloads.ItemBase.pulse_count, NUMBER),
    st.builds(
        lambda fixed, scale: payloads.ItemBase(
            kind=fixed[0], units=fixed[1], description=fixed[2], si_scale_code=scale
        ),
        st.sampled_from(FIXED),
        SCALE,
    ),
    st.builds(
        payloads.ItemBase,
        kind=st.just("customUnit"),
        units=TEXT.filter(lambda s: s.strip() == s),
        description=TEXT,
        si_scale_code=SCALE,
    ),
)
PLAIN[payloads.AtomFeed] = st.builds(
    lambda title: payloads.AtomFeed(
        xml='<feed xmlns="http://www.w3.org/2005/Atom"><id>urn:uuid:1</id>'
        f"<title>{title}</title><updated>2026-01-05T12:00:00Z</updated></feed>"
    ),
    st.text("abc é", max_size=5),
)
NONEMPTY = {
    "intervals", "signals", "payloads", "requests", "report_request_ids", "profiles", "transports",
    "positions",
}  # fmt: skip
FIELDS: dict[object, Strategy] = {
    "rejected": st.just(()),
    "other_kinds": st.just(()),
    "code": st.integers(0, 999),
    "confidence": st.none() | st.integers(0, 100),
    "market_context": URI,
    "report_type": open_word(words.ReportType),
    "reading_type": open_word(words.ReadingType),
    "data_quality": st.none() | open_word(words.DataQuality),
    "reason": open_word(words.OptReason),
    "profile": word(words.ProfileName),
    "transport": word(words.TransportName),
    "service": word(words.ServiceName),
    (payloads.Profile, "name"): word(words.ProfileName),
    (payloads.Profile, "transports"): st.lists(
        word(words.TransportName), min_size=1, max_size=2
    ).map(tuple),
    (payloads.Report, "name"): st.none() | open_word(words.ReportName),
    (payloads.Signal, "name"): open_word(words.SignalName),
    (payloads.Signal, "type"): word(words.SignalType),
    (payloads.ServiceInfo, "infos"): st.lists(
        st.builds(payloads.Info, key=TEXT, value=TEXT), min_size=1, max_size=2
    ).map(tuple),
}


def of_type(hint: Any, field: str) -> Strategy:
    """Any value of an annotated field."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return st.lists(of_type(args[0], field), min_size=field in NONEMPTY, max_size=3).map(tuple)
    if origin is types.UnionType:
        return st.one_of(*(of_type(arg, field) for arg in args))
    return of_class(hint)


def of_class(kind: Any) -> Strategy:
    """Any value of a plain class."""
    if kind in PLAIN:
        return PLAIN[kind]
    return st.sampled_from(kind) if issubclass(kind, StrEnum) else of_dataclass(kind)


def of_dataclass(kind: type) -> Strategy:
    """Any value of a payload class."""
    hints = typing.get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]
    return st.builds(kind, **{name: of_field(kind, name, hints[name]) for name in names}).map(
        only_one_of_each
    )


def of_field(kind: type, name: str, hint: Any) -> Strategy:
    """Any value of one field."""
    for key in ((kind, name), name):
        if key in FIELDS:
            return FIELDS[key]
    return of_type(hint, name)


def only_one_of_each(value: Any) -> Any:
    """Without the combinations that the schema has no place for."""
    if isinstance(value, payloads.ReportDescription) and value.green_button is not None:
        return dataclasses.replace(value, item=None)
    return value


@pytest.mark.parametrize("kind", typing.get_args(Payload), ids=lambda kind: kind.__name__)
def test_survives_and_is_valid(kind: type[Payload]) -> None:
    @settings(max_examples=25)
    @given(of_dataclass(kind))
    def check(payload: Payload) -> None:
        data = encode(payload)
        assert decode(data) == payload
        validate(data)

    typing.cast(Callable[[], None], check)()


ANYTHING = st.text(max_size=6) | st.sampled_from(("x-a b", "x- ", "W", "a:b", "%", "#", "//", ""))
ODD: dict[object, Strategy] = {
    "rejected": st.just(()),
    "other_kinds": st.just(()),
    "code": st.integers(),
    "confidence": st.integers(),
    (payloads.Profile, "transports"): st.just(()),
    (payloads.ServiceInfo, "infos"): st.just(()),
}


@pytest.mark.parametrize("kind", typing.get_args(Payload), ids=lambda kind: kind.__name__)
def test_what_is_sent_is_valid_whatever_is_given(
    kind: type[Payload], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any text anywhere, empty lists, numbers out of range: refused with a reason, or valid."""
    wild = {key: may | ODD.get(key, ANYTHING) for key, may in FIELDS.items()}
    plain = {**PLAIN, str: ANYTHING, int: st.integers(), float: st.floats()}
    plain[payloads.ItemBase] = PLAIN[payloads.ItemBase] | of_dataclass(payloads.ItemBase)
    monkeypatch.setitem(globals(), "FIELDS", wild)
    monkeypatch.setitem(globals(), "PLAIN", plain)
    monkeypatch.setitem(globals(), "NONEMPTY", frozenset())

    @settings(max_examples=25)
    @given(of_dataclass(kind))
    def check(payload: Payload) -> None:
        try:
            data = encode(payload)
        except ValueError:
            return
        validate(data)

    typing.cast(Callable[[], None], check)()


@given(TEXT)
def test_control_characters_are_refused_not_mangled(text: str) -> None:
    with pytest.raises(ValueError, match="XML compatible"):
        encode(payloads.Poll(ven_id=f"{text}\x00"))
