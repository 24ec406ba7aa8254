from pathlib import Path

import pytest

from certs.pki import Pki, make_test_pki
from contracts.clock import SystemClock
from contracts.errors import ConfigError
from gateway.sites.credentials import Authority, TlsFiles, issue_site_credentials
from site_agent.uplink.credentials import load_login


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Pki:
    return make_test_pki(tmp_path_factory.mktemp("pki"), sites=["depot-1"])


@pytest.fixture
def folder(pki: Pki, tmp_path: Path) -> Path:
    site, now = pki.sites["depot-1"], SystemClock().now()
    tls = TlsFiles(ca=pki.site_ca, cert=site.cert, key=site.key)
    issue_site_credentials(
        Authority(pki.nats), "depot-1", tls, tmp_path / "creds", now=now, expires=now
    )
    return tmp_path / "creds"


def test_what_the_gateway_issues_is_what_the_site_loads(folder: Path) -> None:
    login = load_login(folder, "depot-1")
    assert login.inbox_prefix == "_INBOX_depot-1"
    assert login.key.public.startswith("U")
    assert login.key.seed not in repr(login)
    assert login.jwt not in repr(login)


def test_another_sites_credentials_are_refused_at_once(folder: Path) -> None:
    with pytest.raises(ConfigError, match="issued for site 'depot-1', but this is 'depot-2'"):
        load_login(folder, "depot-2")


@pytest.mark.parametrize("name", ["ca.pem", "site.pem", "site.key", "site.creds"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ConfigError, match=name):
        load_login(folder, "depot-1")


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"hello"])
def test_a_damaged_creds_file_is_named(folder: Path, content: bytes) -> None:
    (folder / "site.creds").write_bytes(content)
    with pytest.raises(ConfigError, match=r"site\.creds"):
        load_login(folder, "depot-1")
