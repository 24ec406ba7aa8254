"""Certificates that an IEEE 2030.5 peer must refuse (CSIP COMM-004): for tests alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs.certificates import Identity, Pair, builder, files, host_names, new_key, store, subject
from certs.sep2 import FOREVER, Extension, Issuer, issuers
from contracts.private_files import write_private


class Fault(StrEnum):
    """What is wrong."""

    SELF_SIGNED = "self-signed"
    WRONG_ROOT = "wrong-root"
    RSA_KEY = "rsa-key"
    USAGE_CRITICAL = "usage-critical"
    """The MICA's extended key usage is critical."""
    NAMES_NOT_CRITICAL = "names-not-critical"
    """The MICA's name constraints are not critical."""
    POLICIES_NOT_CRITICAL = "policies-not-critical"
    """The MICA's policy mappings are not critical."""


_ANYWHERE = x509.NameConstraints(
    permitted_subtrees=None, excluded_subtrees=[x509.DNSName("excluded.example")]
)
_BOTH = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
_MAPPINGS = x509.UnrecognizedExtension(
    x509.ObjectIdentifier("2.5.29.33"),
    bytes.fromhex("301a3018060a2b0601040182be1c0201060a2b0601040182be1c0101"),
)
"""The policy of certificates for tests mapped to that of generic devices."""

_OF_MICA: Mapping[Fault, Extension] = {
    Fault.USAGE_CRITICAL: (_BOTH, True),
    Fault.NAMES_NOT_CRITICAL: (_ANYWHERE, False),
    Fault.POLICIES_NOT_CRITICAL: (_MAPPINGS, False),
}


def make_faulty(folder: Path, fault: Fault, now: datetime, hosts: Sequence[str]) -> Identity:
    """`bad-<fault>.pem` and `.key`, under the root of `folder` as far as the fault allows."""
    root, names, stem = Issuer.root(folder, "2030.5 root", now), host_names(hosts), f"bad-{fault}"
    match fault:
        case Fault.SELF_SIGNED:
            return _self_signed(files(folder, stem), names, now)
        case Fault.WRONG_ROOT:
            other = Issuer.root(folder / "other", "another root", now)
            return other.identity_of(stem, stem, names)
        case Fault.RSA_KEY:
            return _rsa(files(folder, stem), issuers(root, 3), names)
        case _:
            mica = root.below(f"{stem}-mica", f"MICA, {fault}", 0, [_OF_MICA[fault]])
            return mica.identity_of(stem, stem, names)


def _self_signed(
    identity: Identity, names: tuple[x509.GeneralName, ...], now: datetime
) -> Identity:
    name, key = "self-signed", new_key()
    cert = (
        builder(name, subject(name), key.public_key(), now, FOREVER)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, SHA256())
    )
    store(identity, Pair(cert=cert, key=key))
    return identity


def _rsa(identity: Identity, issuer: Issuer, names: tuple[x509.GeneralName, ...]) -> Identity:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    cert = issuer.sign(issuer.leaf("rsa", key.public_key(), names))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    write_private(identity.key, private)
    shown = (cert, *issuer.chain)
    write_private(identity.cert, b"".join(one.public_bytes(Encoding.PEM) for one in shown))
    return identity
