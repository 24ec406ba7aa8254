"""Signatures hold for their time, once, and with keys that are strong and fit."""

from __future__ import annotations

import base64
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree

from contracts.errors import ConfigError
from contracts.identity import openadr_fingerprint
from contracts.openadr.codec import receive_signed
from contracts.openadr.signature import SignatureError, SignatureFault, SigningKey
from support.openadr_keys import SIGNED_AT, PemPair, ec_pair, pem_pair, rsa_pair
from support.openadr_signed import DS, DSP, SECOND, changed, fault_of, find, sign, verifier


def test_without_replay_protect_it_is_refused(pair: PemPair) -> None:
    def drop(root: etree._Element) -> None:
        protect = find(root, DSP + "ReplayProtect")
        parent = protect.getparent()
        assert parent is not None
        parent.remove(protect)

    assert fault_of(changed(sign(pair), drop), pair.fingerprint) is (
        SignatureFault.NO_REPLAY_PROTECT
    )


@pytest.mark.parametrize(
    ("late", "fault"),
    [(301 * SECOND, SignatureFault.STALE), (-61 * SECOND, SignatureFault.FUTURE)],
)
def test_too_old_or_from_the_future(pair: PemPair, late: timedelta, fault: SignatureFault) -> None:
    assert fault_of(sign(pair), pair.fingerprint, SIGNED_AT + late) is fault


@pytest.mark.parametrize("late", [300 * SECOND, -60 * SECOND])
def test_at_the_bounds_it_is_accepted(pair: PemPair, late: timedelta) -> None:
    receive_signed(sign(pair), verifier(pair.fingerprint), SIGNED_AT + late)


def test_replayed_once_more_is_refused_but_the_next_message_is_not(pair: PemPair) -> None:
    check, data = verifier(pair.fingerprint), sign(pair)
    receive_signed(data, check, SIGNED_AT)
    with pytest.raises(SignatureError) as caught:
        receive_signed(data, check, SIGNED_AT + 200 * SECOND)
    assert caught.value.fault is SignatureFault.REPLAYED
    receive_signed(sign(pair), check, SIGNED_AT)  # the same second, another nonce


def test_a_refused_message_does_not_use_up_its_nonce(pair: PemPair) -> None:
    check, data = verifier(pair.fingerprint), sign(pair)
    with pytest.raises(SignatureError):
        receive_signed(data.replace(b"007", b"008"), check, SIGNED_AT)
    receive_signed(data, check, SIGNED_AT)


def test_an_expired_certificate_is_refused() -> None:
    old = pem_pair(ec.generate_private_key(ec.SECP256R1()), lasting=timedelta(days=1))
    assert fault_of(sign(old), old.fingerprint) is SignatureFault.EXPIRED


def test_short_keys_are_refused_both_ways() -> None:
    for key in (rsa.generate_private_key(65537, 1024), ec.generate_private_key(ec.SECP192R1())):
        weak = pem_pair(key)
        with pytest.raises(ConfigError, match="2048"):
            SigningKey(weak.certificate, weak.key)
    der = base64.b64decode(b"".join(weak.certificate.splitlines()[1:-1]))

    def show(root: etree._Element) -> None:
        find(root, DS + "X509Certificate").text = base64.b64encode(der).decode()

    data = changed(sign(ec_pair()), show)
    assert fault_of(data, openadr_fingerprint(der)) is SignatureFault.ALGORITHM


def test_a_key_that_does_not_fit_its_certificate_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match="not the certificate's"):
        SigningKey(rsa_pair().certificate, ec_pair().key)
    with pytest.raises(ConfigError, match="no key to sign with"):
        SigningKey(rsa_pair().certificate, b"nonsense")
