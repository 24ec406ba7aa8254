"""OpenADR codec and signed polls, beside plain XML and beside openleadr."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import openleadr.messaging
import openleadr.objects
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from lxml import etree

from contracts.clock import SystemClock
from contracts.openadr import codec
from contracts.openadr.payloads import (
    ActivePeriod,
    DistributeEvent,
    EventDescriptor,
    EventStatus,
    ItemBase,
    OadrEvent,
    Poll,
    Signal,
    SignalInterval,
)
from contracts.openadr.signature import ReplayCache, Signer, SigningKey, Verifier
from gridyard.bench import openadr_polls
from gridyard.bench.core import Bench, Row, at_most, median_s

messaging: Any = openleadr.messaging  # its hints are stricter than its code
objects: Any = openleadr.objects
_EVENTS = 100
_START = datetime(2026, 6, 1, 12, tzinfo=UTC)


def _run() -> Sequence[Row]:
    message = DistributeEvent(
        request_id="r", vtn_id="vtn", events=tuple(_event(n) for n in range(_EVENTS))
    )
    return [
        *_beside_plain_xml(message),
        *_beside_openleadr(message),
        *_signed(),
        *openadr_polls.rows(),
    ]


def _beside_plain_xml(message: DistributeEvent) -> list[Row]:
    xml = codec.encode(message)
    tree = etree.fromstring(xml)
    return [
        _row(
            "read a distribution of 100 events",
            lambda: codec.decode(xml),
            lambda: [element.text for element in etree.fromstring(xml).iter()],
            "lxml parse and walk",
            20.0,
        ),
        _row(
            "write a distribution of 100 events",
            lambda: codec.encode(message),
            lambda: etree.tostring(tree),
            "lxml serialise of a ready tree",
            20.0,
        ),
    ]


def _beside_openleadr(message: DistributeEvent) -> list[Row]:
    xml = codec.encode(message)
    events = [_its_event(event) for event in message.events]
    return [
        _row(
            "read 100 events, and openleadr",
            lambda: codec.decode(xml),
            lambda: messaging.parse_message(xml),
            "openleadr parse_message",
            0.5,
        ),
        _row(
            "write 100 events, and openleadr",
            lambda: codec.encode(message),
            lambda: messaging.create_message(
                "oadrDistributeEvent", request_id="r", vtn_id="vtn", events=events
            ),
            "openleadr create_message",
            0.8,
        ),
    ]


def _row(
    name: str, ours: Callable[[], object], other: Callable[[], object], other_is: str, bar: float
) -> Row:
    """One way of handling 100 events beside another."""
    mine, spread = median_s(ours)
    floor, _ = median_s(other)
    per_event = 1e6 / _EVENTS
    return at_most(name, "µs/event", mine * per_event, floor * per_event, other_is, bar, spread)


def _signed() -> list[Row]:
    certificate, key = _rsa_pair()
    signer = Signer(SigningKey(certificate, key))
    clock = SystemClock()
    verifier = Verifier(frozenset({signer.fingerprint}), ReplayCache())

    def sign() -> bytes:
        return codec.encode_signed(Poll(ven_id="ven"), signer, clock.now())

    def exchange() -> object:
        """A poll and its answer, the work of both sides."""
        return [codec.receive_signed(sign(), verifier, clock.now()) for _ in range(2)]

    def its_sign() -> object:
        return messaging.create_message("oadrPoll", cert=certificate, key=key, ven_id="ven")

    ours, spread = median_s(lambda: [sign() for _ in range(20)])
    its, _ = median_s(its_sign)
    both, both_spread = median_s(lambda: [exchange() for _ in range(20)])
    ms, many = 1e3, 1e3 / 20
    return [
        at_most("sign a poll, RSA-2048", "ms", ours * many, its * ms, "openleadr", 1 / 20, spread),
        at_most(
            "signed poll and answer, both sides",
            "ms",
            both * many,
            10.0,
            "100 a second on a core",
            1.0,
            both_spread,
        ),
    ]


def _rsa_pair() -> tuple[bytes, bytes]:
    """A certificate and its key in PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bench")])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(_START.replace(year=2020))
        .not_valid_after(_START.replace(year=2100))
        .sign(key, SHA256())
    )
    return certificate.public_bytes(Encoding.PEM), key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


def _its_event(event: OadrEvent) -> object:
    """The same event as openleadr wants it."""
    (signal,) = event.signals
    return objects.Event(
        event_descriptor=objects.EventDescriptor(
            event_id=event.event_id,
            modification_number=0,
            market_context=event.descriptor.market_context,
            event_status="far",
            created_date_time=_START,
        ),
        active_period=objects.ActivePeriod(dtstart=_START, duration=event.active_period.duration),
        event_signals=[
            objects.EventSignal(
                intervals=[
                    objects.Interval(
                        dtstart=_START, duration=step.duration, signal_payload=step.value
                    )
                    for step in signal.intervals
                ],
                signal_name=signal.name,
                signal_type=signal.type,
                signal_id=signal.signal_id,
                measurement=objects.Measurement(
                    name="powerReal",
                    description="RealPower",
                    unit="W",
                    scale="k",
                    power_attributes=objects.PowerAttributes(),
                ),
            )
        ],
        targets=[objects.Target(ven_id="ven")],
    )


def _event(number: int) -> OadrEvent:
    steps = tuple(
        SignalInterval(uid=str(n), duration=timedelta(minutes=15), value=-10.0 * n)
        for n in range(4)
    )
    return OadrEvent(
        descriptor=EventDescriptor(
            event_id=f"event-{number}",
            modification_number=0,
            market_context="http://utility.example/program",
            created_at=_START,
            status=EventStatus.FAR,
        ),
        active_period=ActivePeriod(start=_START, duration=timedelta(hours=1)),
        signals=(
            Signal(
                name="LOAD_DISPATCH",
                type="delta",
                signal_id="s",
                item=ItemBase.power_real("k"),
                intervals=steps,
            ),
        ),
    )


BENCH = Bench(
    name="openadr",
    about="typed OpenADR messages and signed polls beside plain XML and openleadr",
    run=_run,
    packages=("lxml", "httpx", "openleadr", "aiohttp", "signxml", "cryptography"),
)
