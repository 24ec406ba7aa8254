"""Whatever is encoded is read back unchanged, for any identifier, text, number and time."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.openadr import payloads
from contracts.openadr.codec import decode, encode
from contracts.openadr.payloads import Payload

Strategy = st.SearchStrategy[Any]

TEXT = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff")
    | st.sampled_from("<>&\"'\n\t"),
    max_size=12,
)
TOKEN = st.text("abcXYZ019-_. é", min_size=1, max_size=12).filter(lambda s: s.strip() == s)
TOKENS = {
    "profile",
    "transport",
    "transports",
    "market_context",
    "name",
    "type",
    "report_type",
    "reading_type",
    "data_quality",
}
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
ITEM = st.one_of(
    st.builds(payloads.ItemBase.power_real, st.sampled_from(("none", "k", "M"))),
    st.builds(payloads.ItemBase.energy_real),
    st.builds(
        payloads.ItemBase,
        kind=st.sampled_from(("voltage", "current", "currencyPerKWh", "customUnit", "frequency")),
        units=TOKEN,
        description=TEXT,
    ),
)
PLAIN[payloads.ItemBase] = ITEM
NONEMPTY = {"intervals", "signals", "payloads", "requests", "report_request_ids"}
NOT_SENT = {"rejected": (), "other_kinds": ()}
RANGES = {"code": st.integers(0, 999), "confidence": st.none() | st.integers(0, 100)}


def of_type(hint: Any, field: str) -> Strategy:
    """Any value of an annotated field."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if field in RANGES:
        return RANGES[field]
    if origin is tuple:
        return st.lists(of_type(args[0], field), min_size=field in NONEMPTY, max_size=3).map(tuple)
    if origin is types.UnionType:
        return st.one_of(*(of_type(arg, field) for arg in args))
    return TOKEN if hint is str and field in TOKENS else of_class(hint)


def of_class(kind: Any) -> Strategy:
    """Any value of a plain class."""
    if kind in PLAIN:
        return PLAIN[kind]
    return st.sampled_from(kind) if issubclass(kind, StrEnum) else of_dataclass(kind)


def of_dataclass(kind: type) -> Strategy:
    """Any value of a payload class."""
    hints = typing.get_type_hints(kind)
    return st.builds(
        kind,
        **{
            f.name: st.just(NOT_SENT[f.name])
            if f.name in NOT_SENT
            else of_type(hints[f.name], f.name)
            for f in dataclasses.fields(kind)
        },
    )


@pytest.mark.parametrize("kind", typing.get_args(Payload), ids=lambda kind: kind.__name__)
def test_survives(kind: type[Payload]) -> None:
    @given(of_dataclass(kind))
    def check(payload: Payload) -> None:
        assert decode(encode(payload)) == payload

    typing.cast(Callable[[], None], check)()


@given(TEXT)
def test_control_characters_are_refused_not_mangled(text: str) -> None:
    with pytest.raises(ValueError, match="XML compatible"):
        encode(payloads.Poll(ven_id=f"{text}\x00"))
