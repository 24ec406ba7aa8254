"""Configuration of the gateway's own broker: mutual TLS, operator mode, no state on disk."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from contracts.site_link.codec import MAX_MESSAGE_BYTES
from gateway.sites.credentials import Authority, TlsFiles


def broker_config(
    authority: Authority,
    tls: TlsFiles,
    *,
    host: str,
    port: int,
    now: datetime,
    revoked: Mapping[str, datetime],
) -> dict[str, object]:
    """Configuration for `contracts.nats_server.NatsServer`.

    `tls` holds the broker's certificate and key, and the root that clients' certificates must
    come from; `port` 0 takes any free one; `revoked`: see `Authority.trust`.
    """
    return {
        "server_name": "gridyard",
        "host": host,
        "port": port or -1,  # to nats-server 0 means its default
        "max_payload": MAX_MESSAGE_BYTES,
        "ping_interval": "15s",
        "ping_max": 2,
        "write_deadline": "5s",
        "tls": {
            "cert_file": str(tls.cert),
            "key_file": str(tls.key),
            "ca_file": str(tls.ca),
            "verify": True,
            "min_version": "1.2",
            "timeout": 5,
        },
        **authority.trust(now, revoked),
    }
