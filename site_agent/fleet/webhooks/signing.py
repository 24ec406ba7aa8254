"""Signatures as Standard Webhooks 1.0 lays them down (symmetric, `v1`).

HMAC-SHA256 over `id.timestamp.body`; several signatures stand side by side while a secret is
replaced, so that the receiver may change over at any moment.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from contracts.errors import ConfigError

PREFIX = "whsec_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a secret, as the standard recommends."""
_LARGEST_FILE = 4096


def new_secret() -> str:
    """A secret as it is written down: `whsec_` and base64."""
    return PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def read_secret(path: Path) -> bytes:
    """The secret in a file.

    Raises:
        ConfigError: the file cannot be read, or holds no secret of 24 to 64 bytes.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST_FILE).decode().strip()
        secret = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, binascii.Error, ValueError) as error:
        raise ConfigError(f"{path}: no secret: {PREFIX} and base64 are expected") from error
    if not SHORTEST <= len(secret) <= LONGEST:
        raise ConfigError(f"{path}: the secret must have {SHORTEST} to {LONGEST} bytes")
    return secret


def headers(
    event_id: str, at: datetime, body: bytes, secrets_held: Sequence[bytes]
) -> Mapping[str, str]:
    """The three headers of an event that is sent at this instant."""
    timestamp = str(int(at.timestamp()))
    content = f"{event_id}.{timestamp}.".encode() + body
    signatures = [
        "v1," + base64.b64encode(hmac.new(secret, content, hashlib.sha256).digest()).decode()
        for secret in secrets_held
    ]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }
