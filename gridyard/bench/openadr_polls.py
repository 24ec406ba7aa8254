"""What a signed poll costs over mutual TLS with RSA-2048: ours, and openleadr's, in one run."""

from __future__ import annotations

import ipaddress
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from contracts.clock import SystemClock
from contracts.identity import openadr_fingerprint
from gridyard.bench import openadr_peers as peers
from gridyard.bench.core import Row, at_most
from gridyard.bench.openadr_peers import Parties, Party
from gridyard.bench.processes import got, process

_RUNS, _OUR_POLLS, _THEIR_POLLS = 5, 100, 5
_TWENTIETH = 1 / 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PollCost:
    """Processor seconds of one signed poll and its answer."""

    ven_s: float
    vtn_s: float

    @property
    def both_s(self) -> float:
        """Of both ends together."""
        return self.ven_s + self.vtn_s


def rows() -> Sequence[Row]:
    """Each end beside openleadr's, and both ends beside what one core may take."""
    with tempfile.TemporaryDirectory() as folder:
        parties = make_parties(Path(folder))
        ours = cost(peers.our_server, peers.our_client, parties, _OUR_POLLS)
        theirs = cost(peers.their_server, peers.their_client, parties, _THEIR_POLLS)
    name, what = "signed poll over mutual TLS, CPU of the", "openleadr"
    ms = 1e3
    return [
        at_most(f"{name} VEN", "ms", ours.ven_s * ms, theirs.ven_s * ms, what, _TWENTIETH, ""),
        at_most(f"{name} VTN", "ms", ours.vtn_s * ms, theirs.vtn_s * ms, what, _TWENTIETH, ""),
        at_most(
            "signed poll over mutual TLS, both ends",
            "ms",
            ours.both_s * ms,
            10.0,
            f"100 polls/s on a core; openleadr {1 / theirs.both_s:.1f} polls/s",
            1.0,
            f"{1 / ours.both_s:.0f} polls/s",
        ),
    ]


def cost(
    server: peers.Server, client: peers.Client, parties: Parties, polls: int, runs: int = _RUNS
) -> PollCost:
    """Poll so often, one after the other, several times: the least that each end needed.

    Raises:
        PermanentError: one of the two did not do its part.
    """
    ven_s, vtn_s = [], []
    with (
        process(peers.serve, server, parties) as serving,
        process(peers.poll, client, parties, got(serving, str)) as polling,
    ):
        got(polling, str)
        for _ in range(runs):
            before = _cpu_s(serving)
            polling.send(polls)
            ven_s.append(got(polling, float) / polls)
            vtn_s.append((_cpu_s(serving) - before) / polls)
    return PollCost(ven_s=min(ven_s), vtn_s=min(vtn_s))


def _cpu_s(serving: Connection) -> float:
    serving.send("cpu")
    return got(serving, float)


def make_parties(folder: Path) -> Parties:
    """Both sides with RSA-2048 and certificates of their own, each the other's root."""
    vtn, ven = _party(folder, "vtn"), _party(folder, "ven")
    ca = folder / "ca.pem"
    ca.write_bytes(vtn.cert.read_bytes() + ven.cert.read_bytes())
    return Parties(vtn=vtn, ven=ven, ca=ca)


def _party(folder: Path, name: str) -> Party:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = SystemClock().now().astimezone(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), 1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(datetime(2100, 1, 1, tzinfo=UTC))
        .add_extension(
            x509.SubjectAlternativeName(
                [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            ),
            critical=False,
        )
        .sign(key, SHA256())
    )
    cert_file, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    cert_file.write_bytes(certificate.public_bytes(Encoding.PEM))
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    fingerprint = openadr_fingerprint(certificate.public_bytes(Encoding.DER))
    return Party(cert=cert_file, key=key_file, fingerprint=fingerprint)
