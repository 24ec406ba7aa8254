"""Cards and contracts between the wire and `domain.fleet.identity` and `domain.fleet.access`."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping

from site_agent.devices.ocpp.wire import fields
from site_agent.devices.ocpp.wire.frames import Json
from site_agent.domain.fleet.access import Status, Verdict
from site_agent.domain.fleet.identity import KIND_OF_TYPE, NO_AUTHORIZATION, Kind, Presented

TOKEN_LENGTH = 255
_FACTS = 8
"""Most additional identifiers read from one token."""
_HASHES = 4
_CERTIFICATES = 32
_GROUP_TYPE = "Central"
_IN_16: Mapping[Status, str] = {
    status: status.value
    for status in (Status.ACCEPTED, Status.BLOCKED, Status.EXPIRED, Status.CONCURRENT_TX)
}
"""OCPP 1.6 §7.2; everything else is Invalid there."""


def presented_tag(id_tag: str) -> Presented:
    """What a 1.6 charger presents: one word for everything."""
    return Presented(token=id_tag or None)


def presented_token(message: Json) -> Presented:
    """What a 2.0.1 or 2.1 message presents.

    Raises:
        CallFaultError: a token that cannot be read.
    """
    token = fields.part(message, "idToken")
    if not token:
        return Presented()
    kind = fields.text_or_none(token, "type", 50)
    text = fields.text(token, "idToken", TOKEN_LENGTH) if token.get("idToken") else ""
    presented = Presented(token=text or None, token_type=kind)
    if kind == NO_AUTHORIZATION:
        presented = Presented(token_type=kind)
    return presented.joined(_told_beside(token)).joined(_certified(message))


def _told_beside(token: Json) -> Presented:
    """`additionalInfo`: its types are free words; those that name a vehicle are understood."""
    told: dict[str, str] = {}
    for kind, text in _additional(token):
        match KIND_OF_TYPE.get(kind.lower()):
            case Kind.EMAID:
                told["emaid"] = text
            case Kind.VIN:
                told["vin"] = text
            case Kind.EVCCID:
                told["evccid"] = text
            case _:
                continue
    return Presented(**told)


def _additional(token: Json) -> Iterator[tuple[str, str]]:
    for entry in fields.parts(token, "additionalInfo")[:_FACTS]:
        kind, text = fields.word(entry, "type"), fields.word(entry, "additionalIdToken")
        if len(kind) <= TOKEN_LENGTH and len(text) <= TOKEN_LENGTH:
            yield kind, text


def _certified(message: Json) -> Presented:
    """The serial number of the leaf, the first of the hashes (C07.FR.01)."""
    for entry in fields.parts(message, "iso15118CertificateHashData")[:_HASHES]:
        serial = fields.text_or_none(entry, "serialNumber", 40)
        if serial:
            return Presented(certificate=serial)
    return Presented()


def unproven(message: Json) -> bool:
    """Whether the charger hands us the certificate because it cannot check it itself (C07.FR.06).

    We hold no contract roots, so such a contract proves nothing here.
    """
    return message.get("certificate") is not None


UNPROVEN: Json = {
    "idTokenInfo": {"status": Status.INVALID.value},
    "certificateStatus": "CertChainError",
}
"""The answer to a certificate that the charger could not check (AuthorizeResponse, 2.0.1)."""


def contract_status(verdict: Verdict) -> Json:
    """What an AuthorizeResponse says of a contract whose chain the charger has checked.

    No OCSP responder is asked: the site's own roster says which contracts it has ended.
    """
    ended = verdict.status in (Status.BLOCKED, Status.EXPIRED)
    return {"certificateStatus": "ContractCancelled" if ended else "Accepted"}


class Certificates:
    """Which certificate came with which token: only Authorize tells it, without naming an EVSE."""

    def __init__(self) -> None:
        self._held: OrderedDict[str, str] = OrderedDict()

    def note(self, presented: Presented) -> None:
        """An Authorize has told it; the newest few are kept."""
        if presented.token and presented.certificate:
            self._held[presented.token] = presented.certificate
            if len(self._held) > _CERTIFICATES:
                self._held.popitem(last=False)

    def joined(self, presented: Presented) -> Presented:
        """With the certificate that came with its token before."""
        certificate = self._held.get(presented.token or "")
        return presented.joined(Presented(certificate=certificate))


def id_tag_info(verdict: Verdict) -> Json:
    """IdTagInfo of 1.6 (§7.9)."""
    info: dict[str, object] = {"status": _IN_16.get(verdict.status, Status.INVALID.value)}
    if verdict.group is not None:
        info["parentIdTag"] = verdict.group
    if verdict.valid_until is not None:
        info["expiryDate"] = fields.stamp(verdict.valid_until)
    return info


def id_token_info(verdict: Verdict, connectors: Mapping[str, int]) -> Json:
    """IdTokenInfoType of 2.0.1 and 2.1; `connectors`: the station's EVSE numbers by our ids."""
    info: dict[str, object] = {"status": verdict.status.value}
    if verdict.group is not None:
        info["groupIdToken"] = {"idToken": verdict.group, "type": _GROUP_TYPE}
    if verdict.valid_until is not None:
        info["cacheExpiryDateTime"] = fields.stamp(verdict.valid_until)
    if verdict.evses is not None:
        info["evseId"] = sorted(connectors[one] for one in verdict.evses if one in connectors)
    return info
