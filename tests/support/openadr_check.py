"""Settings and answers for `gridyard openadr check`."""

from __future__ import annotations

from typing import Any

from certs.certificates import Identity
from certs.pki import Pki
from contracts.openadr import codec
from contracts.openadr.payloads import CreatedPartyRegistration, EiResponse, Payload, Response
from contracts.openadr.signature import Signer, SigningKey
from gateway.utility.openadr.settings import OpenAdrSettings


def ven_settings(pki: Pki, url: str, **changes: Any) -> OpenAdrSettings:
    """As an integrator would have them in the gateway's file."""
    return OpenAdrSettings.model_validate(
        {
            "utility_id": "util",
            "url": url,
            "ven_name": "gridyard",
            "ca": pki.utility_ca,
            "cert": pki.ven.cert,
            "key": pki.ven.key,
            **changes,
        }
    )


def answer(payload: Payload) -> bytes:
    return codec.encode(payload)


def capabilities(**changes: Any) -> CreatedPartyRegistration:
    """What a VTN says to a query."""
    return CreatedPartyRegistration(
        **{"response": EiResponse(request_id="q"), "vtn_id": "VTN-1", **changes}
    )


def refusal(code: int, text: str) -> Response:
    return Response(response=EiResponse(code=code, description=text, request_id="q"))


def signer(identity: Identity) -> Signer:
    return Signer(SigningKey(identity.cert.read_bytes(), identity.key.read_bytes()))
