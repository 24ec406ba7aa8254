import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import nkeys
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from contracts.errors import ConfigError, PermanentError
from contracts.site_link import creds
from contracts.site_link.nkey import Nkey, Role
from gateway.sites.credentials import Authority, TlsFiles, issue_site_credentials

NOW = datetime(2026, 3, 1, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


def parts(jwt: str) -> tuple[dict[str, Any], dict[str, Any], bytes, bytes]:
    head, body, signature = jwt.split(".")

    def raw(text: str) -> bytes:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))

    return json.loads(raw(head)), json.loads(raw(body)), f"{head}.{body}".encode(), raw(signature)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "nats")


def test_keys_are_made_once_private_and_kept(tmp_path: Path) -> None:
    first = Authority(tmp_path / "nats").trust(NOW)
    assert Authority(tmp_path / "nats").trust(NOW) == first
    files = sorted((tmp_path / "nats").iterdir())
    assert [file.name for file in files] == [
        "account.key",
        "operator.key",
        "site-signer.key",
        "system.key",
    ]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}


def test_a_site_jwt_names_the_site_and_leaves_its_rights_to_the_scope(authority: Authority) -> None:
    user = Nkey.make(Role.USER)
    head, claims, _, _ = parts(authority.site_jwt("depot-1", user.public, NOW, LATER))

    assert head == {"typ": "JWT", "alg": "ed25519-nkey"}
    assert claims["name"] == "depot-1"
    assert claims["sub"] == user.public
    assert claims["exp"] == int(LATER.timestamp())
    assert not claims["nats"].keys() & {"pub", "sub", "resp", "subs"}
    trusted = authority.trust(NOW)
    account = trusted["resolver_preload"][claims["nats"]["issuer_account"]]  # type: ignore[index] # plain configuration data
    scope = creds.jwt_claims(account)["nats"]["signing_keys"][0]  # type: ignore[index] # plain JSON
    assert scope["key"] == claims["iss"]
    assert scope["template"]["pub"]["allow"] == ["site.{{name()}}.up.>"]


def test_a_jwt_is_signed_by_its_issuer_and_numbered_by_its_content(authority: Authority) -> None:
    operator = str(authority.trust(NOW)["operator"])
    _, claims, signed, signature = parts(operator)
    unnumbered = json.dumps({**claims, "jti": ""}, separators=(",", ":")).encode()
    digest = hashlib.sha256(unnumbered).digest()
    assert claims["jti"] == base64.b32encode(digest).rstrip(b"=").decode()
    raw_key = base64.b32decode(claims["iss"])[1:33]
    Ed25519PublicKey.from_public_bytes(raw_key).verify(signature, signed)


@pytest.mark.parametrize("site_id", ["*", ">", "", "s 1", "x.up", "Depot", "a" * 41, "d\n"])
def test_a_name_that_would_reach_other_sites_is_never_signed(
    authority: Authority, site_id: str
) -> None:
    with pytest.raises(PermanentError, match="site id"):
        authority.site_jwt(site_id, Nkey.make(Role.USER).public, NOW, LATER)


def test_issued_files_are_private_and_complete(authority: Authority, tmp_path: Path) -> None:
    for name in ("ca", "cert", "key"):
        (tmp_path / name).write_text(name)
    tls = TlsFiles(ca=tmp_path / "ca", cert=tmp_path / "cert", key=tmp_path / "key")
    folder = tmp_path / "depot-1"
    issue_site_credentials(authority, "depot-1", tls, folder, now=NOW, expires=LATER)

    files = sorted(folder.iterdir())
    assert [file.name for file in files] == ["ca.pem", "site.creds", "site.key", "site.pem"]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    jwt, seed = creds.parse_creds((folder / "site.creds").read_text())
    assert creds.jwt_claims(jwt)["sub"] == Nkey(seed).public


def test_no_file_is_written_for_a_refused_name(authority: Authority, tmp_path: Path) -> None:
    tls = TlsFiles(ca=tmp_path, cert=tmp_path, key=tmp_path)
    with pytest.raises(PermanentError):
        issue_site_credentials(authority, "*", tls, tmp_path / "x", now=NOW, expires=LATER)
    assert not (tmp_path / "x").exists()


def test_a_damaged_seed_stops_the_start(tmp_path: Path) -> None:
    Authority(tmp_path)
    (tmp_path / "account.key").write_text("garbage")
    with pytest.raises(ConfigError, match="nkey seed"):
        Authority(tmp_path)


def test_our_signatures_are_what_the_nkeys_library_verifies() -> None:
    key = Nkey.make(Role.USER)
    pair = nkeys.from_seed(key.seed.encode())  # type: ignore[no-untyped-call] # foreign library
    assert pair.verify(b"nonce", key.sign(b"nonce"))
