"""A new site turns its one-time token into credentials: `gridyard site-agent join`.

Nothing is trusted beforehand. First the root's certificate is fetched and compared with the
fingerprint in the token; only over a connection checked against that root does the token go out.
Keys and request are kept until the answer is there, so that after a failure the same token serves
again.
"""

from __future__ import annotations

import asyncio
import shutil
import ssl
from pathlib import Path

import httpx

from contracts.errors import (
    ConfigError,
    LinkDownError,
    PermanentError,
    ProtocolError,
    TransientError,
)
from contracts.private_files import private_folder, write_private
from contracts.site_link import creds
from contracts.site_link.codec import decode
from contracts.site_link.enrolment import (
    CA_PATH,
    ENROL_PATH,
    MAX_BYTES,
    Request,
    Token,
    encode_request,
    fingerprint,
)
from contracts.site_link.messages import Credentials, Refusal
from contracts.site_link.nkey import Nkey, Role
from site_agent.uplink import keys
from site_agent.uplink.credentials import keep_credentials

_PENDING = "joining"
_KEY_FILE, _CSR_FILE, _SEED_FILE = "site.key", "site.csr", "user.seed"
_TIMEOUT_S = 15.0
_OK, _SERVER_FAULT, _TOO_MANY = 200, 500, 429


async def join(token: Token, site_id: str, folder: Path, *, again: bool = False) -> Credentials:
    """Get the first credentials of this site and write them into `folder`.

    `again`: replace those that are there.

    Raises:
        ConfigError: the token is another site's, or there are credentials already.
        PermanentError: the gateway refuses the token, or is not the one that made it.
        TransientError: the gateway cannot be reached or is busy: try again.
    """
    if token.site_id != site_id:
        raise ConfigError(f"the token is for site {token.site_id!r}, but this is {site_id!r}")
    if (folder / creds.CREDS_FILE).exists() and not again:
        raise ConfigError(f"{folder}: holds credentials already; --again replaces them")
    pending = _pending(folder)
    user = Nkey((pending / _SEED_FILE).read_text())
    request = Request(
        secret=token.secret, csr=(pending / _CSR_FILE).read_text(), user_key=user.public
    )
    issued = await _ask(token, request)
    if issued.site_id != site_id:
        raise ProtocolError(f"the gateway answered for site {issued.site_id!r}")
    keep_credentials(folder, issued, pending / _KEY_FILE, user)
    shutil.rmtree(pending)
    return issued


def _pending(folder: Path) -> Path:
    """Keys and request of a join that has begun; the last file says that all are there."""
    pending = private_folder(private_folder(folder) / _PENDING)
    if not (pending / _CSR_FILE).exists():
        write_private(pending / _KEY_FILE, keys.new_key())
        write_private(pending / _SEED_FILE, Nkey.make(Role.USER).seed.encode())
        request = keys.signing_request(pending / _KEY_FILE)
        write_private(pending / _CSR_FILE, request.encode())
    return pending


async def _ask(token: Token, request: Request) -> Credentials:
    unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    checked = _trusting(await _body(token.url, unchecked, "GET", CA_PATH), token)
    body = await _body(token.url, checked, "POST", ENROL_PATH, encode_request(request))
    answer = decode(body)
    if not isinstance(answer, Credentials):
        raise ProtocolError(f"the gateway answered with {answer.kind}")
    return answer


def _trusting(ca: bytes, token: Token) -> ssl.SSLContext:
    try:
        pem = ca.decode("ascii")
        if fingerprint(ssl.PEM_cert_to_DER_cert(pem.strip())) != token.ca:
            raise PermanentError(
                f"{token.url}: not the gateway that made the token (its root is another); "
                "check the address, and that nobody is in between"
            )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(cadata=pem)
    except (ValueError, ssl.SSLError) as error:
        raise PermanentError(f"{token.url}: no root certificate there: {error}") from error
    return context


async def _body(
    url: str, tls: ssl.SSLContext, method: str, path: str, content: bytes = b""
) -> bytes:
    """The body of a good answer, from somebody who might send for ever."""
    body = bytearray()
    try:
        async with (
            asyncio.timeout(_TIMEOUT_S),
            httpx.AsyncClient(
                base_url=url, verify=tls, timeout=_TIMEOUT_S, trust_env=False
            ) as client,
            client.stream(method, path, content=content) as answer,
        ):
            async for piece in answer.aiter_bytes():
                body += piece
                if len(body) > MAX_BYTES:
                    raise ProtocolError(f"{url}: an answer of more than {MAX_BYTES} bytes")
    except (httpx.HTTPError, TimeoutError) as error:
        raise LinkDownError(f"{url}: {str(error) or type(error).__name__}") from error
    if answer.status_code == _OK:
        return bytes(body)
    words = f"{url}: {_reason(bytes(body))}"
    if answer.status_code == _TOO_MANY or answer.status_code >= _SERVER_FAULT:
        raise TransientError(words)
    raise PermanentError(words)


def _reason(body: bytes) -> str:
    try:
        told = decode(body)
    except ProtocolError:
        return "refused, and did not say why"
    return told.reason if isinstance(told, Refusal) else f"answered with {told.kind}"
