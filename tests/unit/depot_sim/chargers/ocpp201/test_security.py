"""Certificates held, and certificates of its own."""

from __future__ import annotations

import pytest

from support.charger_bench import ChargerBench
from support.ocpp201_words import ACCEPTED, REJECTED
from support.signing import Signer


async def test_certificates_are_held(bench: ChargerBench) -> None:
    install = {"certificateType": "V2GRootCertificate", "certificate": Signer(bench.now).root}
    assert bench.ask("GetInstalledCertificateIds") == {"status": "NotFound"}
    assert bench.ask("InstallCertificate", install | {"certificate": "x"}) == REJECTED
    assert bench.ask("InstallCertificate", install) == ACCEPTED
    (held,) = bench.ask("GetInstalledCertificateIds")["certificateHashDataChain"]
    assert held["certificateType"] == "V2GRootCertificate"
    delete = {"certificateHashData": held["certificateHashData"]}
    assert bench.ask("DeleteCertificate", delete) == ACCEPTED
    assert bench.ask("DeleteCertificate", delete) == {"status": "NotFound"}


@pytest.mark.parametrize("kind", ["ChargingStation", "V2G"])
async def test_a_certificate_of_its_own(bench: ChargerBench, kind: str) -> None:
    signer, trigger = Signer(bench.now), {"requestedMessage": f"Sign{kind}Certificate"}
    assert bench.ask("TriggerMessage", trigger) == ACCEPTED
    (asked,) = await bench.told("SignCertificate")
    assert asked["certificateType"] == f"{kind}Certificate"
    signed = {"certificateType": f"{kind}Certificate"}
    wrong = signed | {"certificateChain": signer.leaf("somebody else")}
    assert bench.ask("CertificateSigned", wrong) == REJECTED
    right = signed | {"certificateChain": signer.sign(asked["csr"])}
    assert bench.ask("CertificateSigned", right) == ACCEPTED
    assert len(await bench.told("GetCertificateStatus")) == (kind == "V2G")
