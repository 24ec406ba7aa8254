"""Which messages are believed, by settings and by what is wrong with them (profile rule 514)."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from contracts.errors import ConfigError, ProtocolError
from contracts.openadr import codec
from contracts.openadr.payloads import Poll, QueryRegistration, RequestReregistration
from contracts.openadr.signature import SignatureError, SignatureFault, Signer
from contracts.openadr.tolerance import Tolerance
from contracts.testing import FakeClock
from gateway.utility.openadr.security import MessageSecurity
from gateway.utility.openadr.settings import OpenAdrSettings
from support.openadr_keys import SIGNED_AT, PemPair, ec_pair, rsa_pair

MESSAGE = RequestReregistration(ven_id="ven-7")
PLAIN = codec.encode(MESSAGE)
SECOND = timedelta(seconds=1)


class SetClock(FakeClock):
    """Its hands are moved while nobody sleeps."""

    def move(self, by: timedelta) -> None:
        self._now += by


def settings(folder: Path, pair: PemPair, **more: Any) -> OpenAdrSettings:
    (folder / "us.pem").write_bytes(pair.certificate)
    (folder / "us.key").write_bytes(pair.key)
    return OpenAdrSettings.model_validate(
        {
            "utility_id": "util",
            "url": "https://vtn.example",
            "ven_name": "us",
            "ca": folder / "ca.pem",
            "cert": folder / "us.pem",
            "key": folder / "us.key",
            **more,
        }
    )


def signed(
    pair: PemPair | None = None, *, after: timedelta = SECOND, message: bytes = PLAIN
) -> bytes:
    return Signer((pair or ec_pair(1)).signing_key).sign(message, SIGNED_AT + after)


def security(folder: Path, now: timedelta = 10 * SECOND, **more: Any) -> MessageSecurity:
    """Of a VEN that has been started at SIGNED_AT, and trusts ec_pair(1) if it signs."""
    clock = SetClock(SIGNED_AT)
    found = MessageSecurity(settings(folder, ec_pair(), **more), clock)
    clock.move(now)
    return found


SIGNING: dict[str, Any] = {"sign": True, "vtn_fingerprint": ec_pair(1).fingerprint}
PINNED: dict[str, Any] = {"vtn_fingerprint": ec_pair(1).fingerprint}
UNSIGNED, NOT_UNSIGNED = {"accept_unsigned": True}, {"accept_unsigned": False}

TAMPERED = signed().replace(b"ven-7", b"ven-8")
FOREIGN = signed(ec_pair(2))
FAULTS = [
    pytest.param(PLAIN, SignatureFault.UNSIGNED, id="unsigned"),
    pytest.param(TAMPERED, SignatureFault.TAMPERED, id="tampered"),
    pytest.param(FOREIGN, SignatureFault.UNTRUSTED, id="by somebody else"),
    pytest.param(signed(after=72 * SECOND), SignatureFault.FUTURE, id="from the future"),
    pytest.param(signed(after=-SECOND), SignatureFault.STALE, id="from before we started"),
]


@pytest.mark.row("openadr:S3")
@pytest.mark.parametrize(("data", "fault"), FAULTS)
def test_what_must_be_signed_is_refused_when_it_is_not_rightly_so(
    tmp_path: Path, data: bytes, fault: SignatureFault
) -> None:
    with capture_logs() as logs, pytest.raises(SignatureError) as refused:
        security(tmp_path, **SIGNING).open(data)
    assert refused.value.fault is fault
    (log,) = [one for one in logs if one["event"] == "openadr_signature_refused"]
    assert (log["fault"], log["utility"]) == (fault.value, "util")


@pytest.mark.row("openadr:S3")
def test_what_is_rightly_signed_is_read_once(tmp_path: Path) -> None:
    ours, data = security(tmp_path, **SIGNING), signed()
    assert ours.open(data) == MESSAGE
    with pytest.raises(SignatureError) as refused:
        ours.open(data)
    assert refused.value.fault is SignatureFault.REPLAYED


@pytest.mark.row("openadr:S3")
@pytest.mark.parametrize(
    ("more", "now", "fault"),
    [
        ({}, 302 * SECOND, SignatureFault.STALE),
        ({"max_message_age_s": 600}, 302 * SECOND, None),
        ({"max_message_age_s": 5}, 10 * SECOND, SignatureFault.STALE),
        ({}, -59 * SECOND, None),
        ({"max_clock_ahead_s": 5}, -59 * SECOND, SignatureFault.FUTURE),
    ],
)
def test_how_old_and_how_early_is_set(
    tmp_path: Path, more: dict[str, Any], now: timedelta, fault: SignatureFault | None
) -> None:
    ours, data = security(tmp_path, SECOND + now, **SIGNING, **more), signed(after=SECOND)
    if fault is None:
        assert ours.open(data) == MESSAGE
        return
    with pytest.raises(SignatureError) as refused:
        ours.open(data)
    assert refused.value.fault is fault


@pytest.mark.row("openadr:S3")
@pytest.mark.parametrize(
    ("more", "data", "taken"),
    [
        pytest.param({}, PLAIN, True, id="nothing set, unsigned"),
        pytest.param({}, FOREIGN, True, id="nothing set, and nobody told us whose to look for"),
        pytest.param(PINNED, PLAIN, True, id="pinned, unsigned"),
        pytest.param(PINNED, signed(), True, id="pinned, signed"),
        pytest.param(PINNED, TAMPERED, False, id="pinned, tampered"),
        pytest.param(PINNED, FOREIGN, False, id="pinned, by somebody else"),
        pytest.param({**SIGNING, **UNSIGNED}, PLAIN, True, id="signing, unsigned accepted"),
        pytest.param({**SIGNING, **UNSIGNED}, TAMPERED, False, id="signing, tampered"),
        pytest.param({**PINNED, **NOT_UNSIGNED}, PLAIN, False, id="unsigned not accepted"),
        pytest.param({**PINNED, **NOT_UNSIGNED}, signed(), True, id="not signing, signed"),
    ],
)
def test_who_needs_a_signature_is_set(
    tmp_path: Path, more: dict[str, Any], data: bytes, taken: bool
) -> None:
    ours = security(tmp_path, **more)
    if taken:
        assert ours.open(data) == MESSAGE
    else:
        with pytest.raises(SignatureError):
            ours.open(data)


@pytest.mark.row("openadr:S3")
@pytest.mark.parametrize("pair", [rsa_pair(), ec_pair()], ids=["RSA", "EC"])
def test_ours_are_signed_anew_each_time_as_of_then(tmp_path: Path, pair: PemPair) -> None:
    clock = SetClock(SIGNED_AT)
    both_ways = {"sign": True, "vtn_fingerprint": pair.fingerprint}
    ours = MessageSecurity(settings(tmp_path, pair, **both_ways), clock)
    assert (ours.signs, ours.fingerprint) == (True, pair.fingerprint)
    clock.move(timedelta(hours=1))  # a message that has waited for an hour
    first, second = ours.seal(PLAIN), ours.seal(PLAIN)
    assert first != second
    assert ours.open(first) == ours.open(second) == MESSAGE


def test_without_signing_a_message_goes_as_it_is(tmp_path: Path) -> None:
    ours = security(tmp_path)
    assert (ours.signs, ours.seal(PLAIN)) == (False, PLAIN)


@pytest.mark.row("openadr:S3")
@pytest.mark.parametrize(
    "more",
    [
        {"sign": True},
        {"accept_unsigned": False},
        {"vtn_fingerprint": "AB:CD"},
        {"vtn_fingerprint": ["zz:" * 9 + "zz"]},
        {"listener": {"url": "https://us.example:8444/"}},
        {
            "listener": {"url": "https://us.example:8444/", "cert": "c.pem"},
            "vtn_fingerprint": ec_pair(1).fingerprint,
        },
        {"listener": {"url": "http://us.example/"}, "vtn_fingerprint": ec_pair(1).fingerprint},
        {"url": "http://vtn.example"},
        {"tolerances": ["whatever"]},
    ],
)
def test_settings_that_leave_a_hole_are_refused(tmp_path: Path, more: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        settings(tmp_path, ec_pair(), **more)


def test_two_fingerprints_stand_while_a_certificate_changes(tmp_path: Path) -> None:
    both = [ec_pair(1).fingerprint.lower(), ec_pair(2).fingerprint]
    ours = security(tmp_path, sign=True, vtn_fingerprint=both)
    assert ours.open(signed()) == ours.open(FOREIGN) == MESSAGE


def test_a_key_that_cannot_sign_is_a_wrong_setting(tmp_path: Path) -> None:
    other = PemPair(certificate=ec_pair().certificate, key=ec_pair(3).key)
    with pytest.raises(ConfigError, match="certificate's"):
        MessageSecurity(settings(tmp_path, other, **SIGNING), FakeClock(SIGNED_AT))


@pytest.mark.row("openadr:S3")
def test_tolerances_are_per_utility(tmp_path: Path) -> None:
    loose = codec.encode(QueryRegistration(request_id="r")).replace(
        b"ei:schemaVersion=", b"schemaVersion="
    )
    every = security(tmp_path, **SIGNING)
    assert every.open(signed(message=loose)) == QueryRegistration(request_id="r")
    fewer = security(tmp_path, **SIGNING, tolerances=[Tolerance.NO_TARGET])
    with pytest.raises(ProtocolError, match="foreign_schema_version"):
        fewer.open(signed(message=loose))
    assert fewer.open(signed(message=codec.encode(Poll(ven_id="v")))) == Poll(ven_id="v")
