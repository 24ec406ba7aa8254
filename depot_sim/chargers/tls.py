"""TLS of a charger's link: security profiles 2 and 3 (white paper 1.6, 2.0.1 part 2, A00)."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """PEM files: `ca` to trust (None: the system's), certificate and key to show, if any."""

    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    def context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer, the central system's name checked; files are read anew each time.

        Raises:
            OSError: a file is missing or holds no certificate or key.
        """
        context = ssl.create_default_context(cafile=self.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.cert is not None:
            context.load_cert_chain(self.cert, self.key)
        return context
