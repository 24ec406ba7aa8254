"""How a new site gets its first credentials: a one-time token, and what is said for it over HTTPS.

The token goes from the operator to the depot by hand. It names where to ask, and the fingerprint
of the root that both the HTTPS server and the broker must come from; so the agent needs to trust
nothing beforehand. Private keys are made at the site and stay there: what goes up is a certificate
signing request (PKCS #10, RFC 2986) and the public half of a NATS user key.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from typing import Annotated

from pydantic import Field, TypeAdapter, ValidationError

from contracts.errors import PermanentError, ProtocolError
from contracts.site_link.codec import first_fault
from contracts.site_link.messages import Pem, UserKey
from contracts.site_link.subjects import checked_site_id

ENROL_PATH = "/enrol/v1"
"""POST a `Request`; 200 answers `messages.Credentials`, all else `messages.Refusal`."""
CA_PATH = "/enrol/v1/ca.pem"
"""GET the root's certificate, whose fingerprint is in the token."""
MAX_BYTES = 16_384
"""Of a request, and of an answer."""

_MARK = "gridyard-site-"
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_URL = re.compile(r"https://[A-Za-z0-9.:\[\]-]{1,250}")
_MAX_TOKEN = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The right to enrol one site once."""

    url: str
    """Of the enrolment server, `https://host:port`."""
    site_id: str
    secret: str = field(repr=False)
    """256 random bits."""
    ca: str
    """SHA-256 of the root's certificate (DER), in hex."""

    def __str__(self) -> str:
        told = json.dumps(asdict(self), separators=(",", ":")).encode()
        return _MARK + base64.urlsafe_b64encode(told).rstrip(b"=").decode()

    @classmethod
    def parse(cls, text: str) -> Token:
        """The token in what a person has pasted.

        Raises:
            PermanentError: it is none, or not whole.
        """
        try:
            token = cls(**_told(text.strip()))
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise PermanentError("not a whole enrolment token: copy it again") from error
        if not (_URL.fullmatch(token.url) and _SECRET.fullmatch(token.secret)):
            raise PermanentError("an enrolment token with a part missing: ask for a new one")
        checked_site_id(token.site_id)
        return token


def _told(text: str) -> dict[str, str]:
    if len(text) > _MAX_TOKEN:
        raise ValueError("too long")
    body = text.removeprefix(_MARK)
    told = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return {name: str(told[name]) for name in ("url", "site_id", "secret", "ca")}


def fingerprint(certificate: bytes) -> str:
    """SHA-256 of a DER certificate, in hex."""
    return hashlib.sha256(certificate).hexdigest()


def secret_hash(secret: str) -> str:
    """What is stored of a secret: with 256 random bits a plain SHA-256 cannot be searched."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a site asks for with its token."""

    secret: Annotated[str, Field(pattern=f"^{_SECRET.pattern}$")]
    csr: Pem
    user_key: UserKey


_REQUEST = TypeAdapter(Request)


def encode_request(request: Request) -> bytes:
    """The request as JSON."""
    return _REQUEST.dump_json(request)


def decode_request(data: bytes) -> Request:
    """What a site has sent.

    Raises:
        ProtocolError: too large, not JSON, or a field missing or out of range.
    """
    if len(data) > MAX_BYTES:
        raise ProtocolError(f"{len(data)} bytes: the limit is {MAX_BYTES}")
    try:
        return _REQUEST.validate_json(data)
    except ValidationError as error:
        raise ProtocolError(first_fault(error)) from error
