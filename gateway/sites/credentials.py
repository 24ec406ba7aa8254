"""Who may be on the broker: NATS operator, account and user JWTs (JWT version 2, Ed25519).

Sites' users are signed with a *scoped* key: the account says once what a user of that key may do,
in terms of the user's own name, and the broker fills the name in. So the name must be a checked
site id: a user named `*` would own every site's subjects.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from contracts.identity import client_context
from contracts.private_files import private_folder, write_private
from contracts.site_link import creds
from contracts.site_link.connection import Login
from contracts.site_link.nkey import Nkey, Role
from contracts.site_link.subjects import GATEWAY_HERE, checked_site_id
from contracts.time import Clock

_NAME = "{{name()}}"
_SITE_ROLE: Mapping[str, object] = {
    "pub": {"allow": [f"site.{_NAME}.up.>"]},
    "sub": {"allow": [f"site.{_NAME}.down.>", f"_INBOX_{_NAME}.>", GATEWAY_HERE]},
    "resp": {"max": 100, "ttl": 60_000_000_000},
    "subs": 50,
    "data": -1,
    "payload": 1 << 20,
}
_NO_LIMITS: Mapping[str, object] = {
    **dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), -1),
    "wildcards": True,
}
_GATEWAY_INBOX = "_INBOX"
_ALWAYS = datetime(2026, 1, 1, tzinfo=UTC)
"""When the operator's JWT says it was made: a running server takes no other one (2.15)."""
_NOBODY: Mapping[str, datetime] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """A certificate, its key, and the root by which the other side is judged; all PEM."""

    ca: Path
    cert: Path
    key: Path


class Authority:
    """The keys by which users are let in; made at the first start and kept in `folder`."""

    def __init__(self, folder: Path) -> None:
        private_folder(folder)
        self._operator = _kept(folder / "operator.key", Role.OPERATOR)
        self._account = _kept(folder / "account.key", Role.ACCOUNT)
        self._system = _kept(folder / "system.key", Role.ACCOUNT)
        self._site_signer = _kept(folder / "site-signer.key", Role.ACCOUNT)

    def trust(
        self, now: datetime, revoked: Mapping[str, datetime] = _NOBODY
    ) -> Mapping[str, object]:
        """The part of the broker's configuration that says whom it trusts.

        `revoked`: user keys whose JWTs from that time or before count no more.
        """
        operator = {"type": "operator", "version": 2, "system_account": self._system.public}
        scope = {
            "kind": "user_scope",
            "key": self._site_signer.public,
            "role": "site",
            "template": _SITE_ROLE,
        }
        revocations = {key: int(at.timestamp()) for key, at in revoked.items()}
        grid = {"signing_keys": [scope], "revocations": revocations}
        return {
            "operator": _jwt("gridyard", self._operator, self._operator.public, operator, _ALWAYS),
            "system_account": self._system.public,
            "resolver": "MEMORY",
            "resolver_preload": {
                self._account.public: self._account_jwt("GRID", self._account, grid, now),
                self._system.public: self._account_jwt("SYS", self._system, {}, _ALWAYS),
            },
        }

    def site_jwt(self, site_id: str, user_public: str, now: datetime, expires: datetime) -> str:
        """The right to be this site on the broker until `expires`, for the holder of a key.

        Raises:
            PermanentError: the site id is not safe in a subject.
        """
        user = {"type": "user", "version": 2, "issuer_account": self._account.public}
        name = checked_site_id(site_id)
        return _jwt(name, self._site_signer, user_public, user, now, expires)

    @property
    def account(self) -> str:
        """Public key of the account of sites and gateway."""
        return self._account.public

    @property
    def site_signer(self) -> str:
        """Public key of what signs the JWTs of sites, and only those."""
        return self._site_signer.public

    def gateway_login(self, tls: TlsFiles, clock: Clock) -> Callable[[], Login]:
        """How the gateway itself logs in: any subject of the account, with a key never stored."""
        return self._login("gateway", self._account, tls, clock)

    def watcher_login(self, tls: TlsFiles, clock: Clock) -> Callable[[], Login]:
        """How the gateway hears what the broker tells its system account."""
        return self._login("watcher", self._system, tls, clock)

    def _login(self, name: str, account: Nkey, tls: TlsFiles, clock: Clock) -> Callable[[], Login]:
        key = Nkey.make(Role.USER)
        user = {"type": "user", "version": 2, "subs": -1, "data": -1, "payload": -1}

        def login() -> Login:
            return Login(
                tls=client_context(tls.ca, tls.cert, tls.key),
                jwt=_jwt(name, account, key.public, user, clock.now()),
                key=key,
                inbox_prefix=_GATEWAY_INBOX,
            )

        return login

    def _account_jwt(
        self, name: str, account: Nkey, more: Mapping[str, object], now: datetime
    ) -> str:
        body = {"type": "account", "version": 2, "limits": _NO_LIMITS, **more}
        return _jwt(name, self._operator, account.public, body, now)


def issue_site_credentials(
    authority: Authority,
    site_id: str,
    tls: TlsFiles,
    folder: Path,
    *,
    now: datetime,
    expires: datetime,
) -> None:
    """Write what a site needs to connect into `folder` (see `contracts.site_link.creds`).

    `tls` holds the site's own certificate and key, and the root of the broker's certificate.
    A running agent takes new files up at its next connection.

    Raises:
        PermanentError: the site id is not safe in a subject.
    """
    key = Nkey.make(Role.USER)
    jwt = authority.site_jwt(site_id, key.public, now, expires)
    private_folder(folder)
    write_private(folder / creds.CA_FILE, tls.ca.read_bytes())
    write_private(folder / creds.CERT_FILE, tls.cert.read_bytes())
    write_private(folder / creds.KEY_FILE, tls.key.read_bytes())
    write_private(folder / creds.CREDS_FILE, creds.format_creds(jwt, key.seed).encode())


def _kept(path: Path, role: Role) -> Nkey:
    if path.exists():
        return Nkey(path.read_text().strip())
    key = Nkey.make(role)
    write_private(path, key.seed.encode())
    return key


def _jwt(
    name: str,
    issuer: Nkey,
    subject: str,
    body: Mapping[str, object],
    now: datetime,
    expires: datetime | None = None,
) -> str:
    """A signed NATS JWT; its id is the hash of its claims."""
    claims: dict[str, object] = {
        "jti": "",
        "iat": int(now.timestamp()),
        "iss": issuer.public,
        "name": name,
        "sub": subject,
        "nats": body,
    }
    if expires is not None:
        claims["exp"] = int(expires.timestamp())
    digest = hashlib.sha256(_json(claims)).digest()
    claims["jti"] = base64.b32encode(digest).rstrip(b"=").decode()
    head = _json({"typ": "JWT", "alg": "ed25519-nkey"})
    text = f"{_b64(head)}.{_b64(_json(claims))}"
    return f"{text}.{_b64(issuer.sign(text.encode()))}"


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
