"""TLS towards a cloud CSMS."""

from __future__ import annotations

import ssl
from pathlib import Path

from contracts.errors import ConfigError


def client_context(ca: Path | None, cert: Path | None, key: Path | None) -> ssl.SSLContext:
    """Trusts `ca` (None: the system's roots) and shows `cert` where the cloud asks for one.

    Security profiles 2 and 3 of the OCPP 1.6 security whitepaper and 2.0.1 part 2 A00: the server's
    certificate and name are always checked, TLS 1.2 at least.

    Raises:
        ConfigError: a file cannot be read, or certificate and key do not belong together.
    """
    try:
        context = ssl.create_default_context(cafile=None if ca is None else str(ca))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if cert is not None:
            context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(f"cloud CSMS: ca {ca}, cert {cert}, key {key}: {error}") from error
    return context
