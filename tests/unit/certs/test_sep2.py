from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from certs.certificates import Identity
from certs.sep2 import Depth, Sep2Pki, make_sep2_pki
from contracts.identity import certificate_der, check_sep2_chain, lfdi, sfdi

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def make(folder: Path, depth: Depth = 3, hosts: tuple[str, ...] = ("127.0.0.1",)) -> Sep2Pki:
    return make_sep2_pki(folder, NOW, hosts=hosts, devices=["a", "b"], depth=depth)


def chain(identity: Identity) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(identity.cert.read_bytes())


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_a_certificate_is_shown_with_every_issuer_below_the_root(
    tmp_path: Path, depth: Depth
) -> None:
    pki = make(tmp_path, depth)
    shown = chain(pki.aggregator)
    root = x509.load_pem_x509_certificate(pki.ca.read_bytes())

    assert len(shown) == depth - 1
    for cert, issuer in zip(shown, [*shown[1:], root], strict=True):
        cert.verify_directly_issued_by(issuer)
    check_sep2_chain([certificate_der(pki.aggregator.cert)])


def test_certificates_are_p256_and_never_expire(tmp_path: Path) -> None:
    pki = make(tmp_path)
    for identity in (pki.server, pki.aggregator, *pki.devices.values()):
        for cert in chain(identity):
            key = cert.public_key()
            assert isinstance(key, ec.EllipticCurvePublicKey)
            assert key.curve.name == "secp256r1"
            assert cert.not_valid_after_utc == datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def test_identities_outlive_a_second_run_and_new_hosts_change_the_servers_alone(
    tmp_path: Path,
) -> None:
    first = make(tmp_path)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    make(tmp_path)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before

    make(tmp_path, hosts=("utility.example",))
    changed = {p.stem for p in tmp_path.iterdir() if p.read_bytes() != before[p.name]}
    assert changed == {"server", "aggregator"}
    assert first.devices.keys() == {"a", "b"}


def test_every_certificate_has_an_identity_of_its_own(tmp_path: Path) -> None:
    pki = make(tmp_path)
    identities = [pki.server, pki.aggregator, *pki.devices.values()]
    lfdis = {lfdi(certificate_der(one.cert)) for one in identities}
    assert len(lfdis) == len({sfdi(one) for one in lfdis}) == 4
