"""Prices on the link, byte for byte."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from contracts.errors import ProtocolError
from contracts.site_link import codec
from contracts.site_link.messages import FlexibilityOffer, Hello
from contracts.site_link.prices import MAX_PRICE_STEPS, PricedStep, Prices, PricesAck

T = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
PRICES = Prices(
    prices_id="p-1",
    site_id="depot-1",
    issued_at=T,
    expires_at=T + timedelta(hours=1),
    currency="EUR",
    area="10YNL----------L",
    steps=(PricedStep(start=T, end=T + timedelta(minutes=15), per_kwh=-0.05437),),
)
TEXT = (
    '{"kind":"prices","prices_id":"p-1","site_id":"depot-1","issued_at":"2026-11-21T12:00:00Z",'
    '"expires_at":"2026-11-21T13:00:00Z","currency":"EUR","area":"10YNL----------L","steps":['
    '{"start":"2026-11-21T12:00:00Z","end":"2026-11-21T12:15:00Z","per_kwh":-0.05437}]}'
)
ACK = PricesAck(prices_id="p-1", stored=False, reason="no tariff")


def test_golden() -> None:
    assert codec.encode(PRICES).decode() == TEXT
    assert codec.decode(TEXT.encode()) == PRICES
    ack = '{"kind":"prices_ack","prices_id":"p-1","stored":false,"reason":"no tariff"}'
    assert (codec.encode(ACK).decode(), codec.decode(ack.encode())) == (ack, ACK)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"currency": "euro"}, "currency"),
        ({"prices_id": ""}, "prices_id"),
        ({"steps": [{"start": "x"}]}, "steps/0/start"),
        ({"steps": json.loads(TEXT)["steps"] * (MAX_PRICE_STEPS + 1)}, "steps"),
        ({"steps": [{**json.loads(TEXT)["steps"][0], "per_kwh": 1e5}]}, "per_kwh"),
    ],
    ids=["currency", "no id", "no time", "too many", "out of range"],
)
def test_nonsense_is_refused_with_the_place_of_the_fault(
    change: dict[str, Any], place: str
) -> None:
    with pytest.raises(ProtocolError, match=place):
        codec.decode(json.dumps({**json.loads(TEXT), **change}).encode())


def test_two_days_in_quarters_fit_in_one_message() -> None:
    steps = PRICES.steps * MAX_PRICE_STEPS
    assert MAX_PRICE_STEPS >= 2 * 100
    assert len(codec.encode(Prices(**{**vars_of(PRICES), "steps": steps}))) < 100_000


def vars_of(prices: Prices) -> dict[str, Any]:
    return {name: getattr(prices, name) for name in prices.__dataclass_fields__}


def test_an_older_agent_says_nothing_of_prices() -> None:
    hello = (
        '{"kind":"hello","site_id":"d","epoch":"e","versions":[1],"last_instruction_seq":0,'
        '"outbox_head":0,"agent_version":"0.1.0","sent_at":"2026-11-21T12:00:00Z"}'
    )
    told = codec.decode(hello.encode())
    assert isinstance(told, Hello)
    assert told.prices_id is None
    offer = {
        "kind": "flexibility_offer",
        "at": "2026-11-21T12:00:00Z",
        "step_s": 900,
        "notice_s": 1,
        "ramp_w_per_min": 1,
        "data_age_s": 1,
        "slots": [],
    }
    row = codec.decode_row(1, json.dumps(offer).encode()).row
    assert isinstance(row, FlexibilityOffer)
    assert row.prices_id == ""
