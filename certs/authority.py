"""A small certificate authority in a folder: P-256 keys, files re-used while they are good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID

from certs.certificates import (
    Identity,
    Pair,
    alt_names,
    builder,
    files,
    key_usage,
    load,
    new_key,
    signed_by,
    store,
    subject,
)
from contracts.private_files import private_folder

CA_LIFE = timedelta(days=3650)
LEAF_LIFE = timedelta(days=90)

SERVER = ExtendedKeyUsageOID.SERVER_AUTH
CLIENT = ExtendedKeyUsageOID.CLIENT_AUTH


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a certificate should say."""

    name: str
    usage: tuple[x509.ObjectIdentifier, ...]
    alt_names: tuple[x509.GeneralName, ...]


class Authority:
    """One root in one folder, and the certificates it has signed.

    Not for several processes at once.
    """

    def __init__(self, folder: Path, name: str, now: datetime) -> None:
        self._folder = private_folder(folder)
        self._now = now
        self.identity = files(folder, "ca")
        found = load(self.identity)
        if found is None or not self._young(found.cert):
            key = new_key()
            found = store(self.identity, Pair(cert=_root(name, key, now), key=key))
        self._pair = found

    def identity_of(self, stem: str, wanted: Wanted) -> Identity:
        """The files `<stem>.pem` and `.key`, made or renewed when they are not as wanted."""
        identity = files(self._folder, stem)
        found = load(identity)
        if found is None or not self._good(found.cert, wanted):
            key = new_key()
            store(identity, Pair(cert=self._leaf(wanted, key), key=key))
        return identity

    def _good(self, cert: x509.Certificate, wanted: Wanted) -> bool:
        return self._young(cert) and signed_by(cert, self._pair.cert) and _says(cert, wanted)

    def _young(self, cert: x509.Certificate) -> bool:
        life = cert.not_valid_after_utc - cert.not_valid_before_utc
        return cert.not_valid_before_utc <= self._now < cert.not_valid_after_utc - life / 3

    def _leaf(self, wanted: Wanted, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        issuer = self._pair.cert
        until = min(self._now + LEAF_LIFE, issuer.not_valid_after_utc)
        aki = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._pair.key.public_key())
        return (
            builder(wanted.name, issuer.subject, key.public_key(), self._now, until)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(key_usage(signs=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(wanted.usage), critical=False)
            .add_extension(x509.SubjectAlternativeName(wanted.alt_names), critical=False)
            .add_extension(aki, critical=False)
            .sign(self._pair.key, SHA256())
        )


def _says(cert: x509.Certificate, wanted: Wanted) -> bool:
    try:
        usage = cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return False
    return alt_names(cert) == wanted.alt_names and tuple(usage) == wanted.usage


def _root(name: str, key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    return (
        builder(name, subject(name), key.public_key(), now, now + CA_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(signs=True), critical=True)
        .sign(key, SHA256())
    )
