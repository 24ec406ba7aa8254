"""XML signatures of OpenADR 2.0b (profile rule 514).

One detached signature over the message and a ReplayProtect, RSA or ECDSA with SHA-256: nothing
else of XML-DSig is spoken.

A `Signer` parses its key once. A `Verifier` trusts certificates by fingerprint, and hands back
the very element that was signed, so that nothing else can be read by mistake.
"""

from contracts.openadr.signature.fault import SignatureError, SignatureFault
from contracts.openadr.signature.keys import SigningKey
from contracts.openadr.signature.replay import ReplayCache
from contracts.openadr.signature.signer import Signer
from contracts.openadr.signature.verifier import Signed, Verifier

__all__ = [
    "ReplayCache",
    "SignatureError",
    "SignatureFault",
    "Signed",
    "Signer",
    "SigningKey",
    "Verifier",
]
