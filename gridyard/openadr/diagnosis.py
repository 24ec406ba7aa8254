"""What an error on the way to a VTN means, and what to do about it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator

from contracts.openadr.payloads import EiResponse

CODES = {
    450: "out of sequence",
    451: "not allowed",
    452: "invalid id",
    453: "not recognised",
    454: "invalid data",
    459: "compliance error",
    460: "signal not supported",
    461: "report not supported",
    462: "target mismatch",
    463: "not registered",
}
"""Response codes of OpenADR 2.0b."""

_CODE_HINTS = {
    451: "the utility does not let this VEN do that: ask what it has enrolled",
    452: "it does not know our venID, or it belongs to another certificate: compare `ven_id`, "
    "`ven_name` and the fingerprint with the utility's",
    453: "it cannot read our message: compare the profile (2.0b) and `url`",
    463: "it does not know us: register first, or ask whether our fingerprint is enrolled",
}

_VERIFY_HINTS = {
    9: "it is not valid yet: look at the clock of this machine, then ask the utility",
    10: "it has expired: look at the clock of this machine, then ask the utility for a renewal",
    18: "it is self-signed: put the utility's root into `ca`",
    19: "its root is not the one in `ca`: ask the utility for its root certificate",
    20: "its root is not the one in `ca`, or the server does not send its intermediate "
    "certificates: ask the utility for both and put them into `ca`",
    26: "it is not meant for servers: the utility must issue another one",
    62: "it is for another host name than the one in `url`: compare with the names it has",
    64: "it is for another address than the one in `url`: use one of the names it has",
}
"""By OpenSSL's number of what is wrong with a certificate (X509_V_ERR_...)."""

_ALERT_HINTS = {
    "UNKNOWN_CA": "the server does not know the root of our certificate: send the utility the "
    "chain, or use a certificate of the root it wants",
    "CERTIFICATE_EXPIRED": "our certificate has expired in the server's eyes: renew it, and look "
    "at the clock of this machine",
    "CERTIFICATE_REQUIRED": "the server wants a client certificate and got none: `cert`, `key`",
    "CERTIFICATE_REVOKED": "our certificate is revoked: ask the utility for another one",
    "CERTIFICATE_UNKNOWN": "the server does not accept our certificate: is its fingerprint "
    "enrolled?",
    "BAD_CERTIFICATE": "the server does not accept our certificate: is it of the utility's root, "
    "and for clients?",
    "UNSUPPORTED_CERTIFICATE": "our certificate is not for clients, or its key is of a kind the "
    "server does not take",
    "ACCESS_DENIED": "the server knows our certificate and refuses it: ask the utility",
    "HANDSHAKE_FAILURE": "no cipher suite in common, or our certificate is not accepted: ask for "
    "the suites the server takes, and whether it wants an RSA or an EC key",
    "PROTOCOL_VERSION": "no TLS version in common: we speak 1.2 and 1.3",
    "WRONG_VERSION_NUMBER": "the other side does not speak TLS on this port: look at the port of "
    "`url`",
    "UNRECOGNIZED_NAME": "the server has no certificate for the host name of `url`",
}
_ABOUT_US = (
    "UNKNOWN_CA",
    "CERTIFICATE_EXPIRED",
    "CERTIFICATE_REQUIRED",
    "CERTIFICATE_REVOKED",
    "CERTIFICATE_UNKNOWN",
    "BAD_CERTIFICATE",
    "UNSUPPORTED_CERTIFICATE",
    "ACCESS_DENIED",
    "DECRYPT_ERROR",
)
_SILENT = (
    "the connection was closed without a word: when that follows a good TLS handshake, our "
    "certificate is usually the reason: is its fingerprint enrolled, is its root known?"
)

_STATUS_HINTS = {
    400: "it could not read our message; its answer may say why",
    401: "TLS holds, but we are not let in: is our fingerprint enrolled?",
    403: "TLS holds, but we are not let in: is our fingerprint enrolled, under our venID?",
    404: "there is no OpenADR service at this path: `url` usually ends in /OpenADR2/Simple/2.0b",
    405: "the path is not one that takes OpenADR messages: look at `url`",
    415: "it does not take application/xml: is this an OpenADR 2.0b server?",
    429: "it is asked too often: is another VEN running with this certificate?",
}
_REDIRECT, _BAD_REQUEST, _SERVER_ERROR = 300, 400, 500


def of_verification(error: ssl.SSLCertVerificationError) -> str:
    """What to do about a server's certificate that does not hold."""
    return _VERIFY_HINTS.get(error.verify_code, "ask the utility which certificate it uses")


def of_link(error: BaseException) -> tuple[str, str]:
    """What is wrong with a connection that broke, in few words, and what to do about it."""
    for cause in _causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"certificate not accepted: {cause.verify_message}", of_verification(cause)
        if isinstance(cause, ssl.SSLError) and cause.reason:
            reason = cause.reason
            alert = next((sign for sign in _ALERT_HINTS if reason.endswith(sign)), "")
            said = "TLS alert from the server" if "ALERT" in reason else "TLS fails"
            return f"{said}: {_words(reason)}", _ALERT_HINTS.get(alert, "")
        if isinstance(cause, ConnectionRefusedError):
            return "refused", "nobody listens there: host and port of `url`, or a firewall"
    if any(isinstance(cause, TimeoutError) for cause in _causes(error)):
        return (
            "no answer in time",
            "a firewall between us that swallows packets, or a server that is overloaded",
        )
    return "closed without an answer", _SILENT


def refuses_us(error: BaseException) -> bool:
    """Whether a server has ended the handshake because of our certificate."""
    reasons = [c.reason or "" for c in _causes(error) if isinstance(c, ssl.SSLError)]
    return any("ALERT" in r and r.endswith(_ABOUT_US) for r in reasons)


def of_status(status: int) -> str:
    """What to do about an HTTP status that is not 200."""
    if status in _STATUS_HINTS:
        return _STATUS_HINTS[status]
    if status >= _SERVER_ERROR:
        return "the server itself fails: try again later, then tell the utility the time of day"
    if _REDIRECT <= status < _BAD_REQUEST:
        return "redirects are never followed: put the final address into `url`"
    return "the answer of an OpenADR service is 200: is this one?"


def of_code(response: EiResponse) -> tuple[str, str]:
    """A response code in words with what the peer says of it, and what to do about it."""
    meaning = CODES.get(response.code, "unknown code")
    said = f": {printable(response.description)}" if response.description else ""
    return f"{response.code} ({meaning}){said}", _CODE_HINTS.get(response.code, "ask the utility")


def printable(text: str, limit: int = 120) -> str:
    """Text of a stranger that may be shown on a terminal."""
    shown = "".join(c if c.isprintable() else "?" for c in text[:limit])
    return shown + ("..." if len(text) > limit else "")


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """What lies below: an SSL library says more than its wrappers."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _words(reason: str) -> str:
    """`TLSV1_ALERT_UNKNOWN_CA` -> `unknown ca`."""
    return reason.rsplit("ALERT_", 1)[-1].replace("_", " ").lower()
