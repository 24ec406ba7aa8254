from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from certs.authority import LEAF_LIFE
from certs.pki import Pki, make_test_pki
from contracts.errors import ConfigError, PermanentError

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def make(folder: Path, now: datetime = NOW, **changes: object) -> Pki:
    wanted: dict[str, object] = {"sites": ["depot-1", "depot-2"], "chargers": ["CP.01"]}
    return make_test_pki(folder, now=now, **{**wanted, **changes})  # type: ignore[arg-type] # free keywords


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_everything_is_there_and_private(tmp_path: Path) -> None:
    pki = make(tmp_path / "pki")

    pairs = [pki.vtn, pki.ven, pki.broker, pki.gateway, *pki.sites.values(), *pki.chargers.values()]
    files = [path for pair in pairs for path in (pair.cert, pair.key)]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    folders = [pki.folder, pki.nats, *{path.parent for path in files}]
    assert {path.stat().st_mode & 0o777 for path in folders} == {0o700}
    assert set(pki.sites) == {"depot-1", "depot-2"}
    assert set(pki.chargers) == {"CP.01"}


def test_git_is_told_to_leave_the_folder_alone(tmp_path: Path) -> None:
    assert (make(tmp_path).folder / ".gitignore").read_text() == "*\n"


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    make(tmp_path)
    before = contents(tmp_path)
    make(tmp_path, now=NOW + LEAF_LIFE / 2)
    assert contents(tmp_path) == before


def test_leaves_are_renewed_in_the_last_third_of_their_life_and_roots_kept(tmp_path: Path) -> None:
    make(tmp_path)
    before = contents(tmp_path)
    make(tmp_path, now=NOW + LEAF_LIFE * 0.7)
    after = contents(tmp_path)

    renewed = {name for name in before if before[name] != after[name]}
    assert "sites/site-depot-1.pem" in renewed
    assert "utility/vtn.key" in renewed
    assert not renewed & {"utility/ca.pem", "utility/ca.key", "sites/ca.pem", "sites/ca.key"}


def test_an_old_root_is_replaced_with_everything_it_signed(tmp_path: Path) -> None:
    make(tmp_path)
    before = contents(tmp_path)
    make(tmp_path, now=NOW + timedelta(days=3000))
    after = contents(tmp_path)
    kept = {name for name in before if before[name] == after[name]}
    assert {name for name in kept if not name.startswith("sep2/")} == {".gitignore"}


def test_what_ieee_2030_5_identifies_a_device_by_is_never_renewed(tmp_path: Path) -> None:
    make(tmp_path)
    before = contents(tmp_path / "sep2")
    make(tmp_path, now=NOW + timedelta(days=3000))
    assert contents(tmp_path / "sep2") == before


@pytest.mark.parametrize("damage", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_a_damaged_file_is_replaced(tmp_path: Path, damage: bytes) -> None:
    pki = make(tmp_path)
    site = pki.sites["depot-2"]
    site.cert.write_bytes(damage)
    make(tmp_path)
    assert site.cert.read_bytes().startswith(b"-----BEGIN CERTIFICATE-----\nMII")


def test_a_certificate_with_another_ones_key_is_replaced(tmp_path: Path) -> None:
    pki = make(tmp_path)
    one, two = pki.sites["depot-1"], pki.sites["depot-2"]
    one.key.write_bytes(two.key.read_bytes())
    make(tmp_path)
    assert one.key.read_bytes() != two.key.read_bytes()


def test_new_hosts_renew_the_servers_alone(tmp_path: Path) -> None:
    pki = make(tmp_path)
    broker, site = pki.broker.cert.read_bytes(), pki.sites["depot-1"].cert.read_bytes()
    make(tmp_path, hosts=["gateway.example", "10.0.0.7"])
    assert pki.broker.cert.read_bytes() != broker
    assert pki.sites["depot-1"].cert.read_bytes() == site


@pytest.mark.parametrize("site_id", ["*", ">", "a.b", "", "Depot", "../x"])
def test_an_unsafe_site_id_gets_no_certificate(tmp_path: Path, site_id: str) -> None:
    with pytest.raises(PermanentError):
        make(tmp_path, sites=[site_id])


@pytest.mark.parametrize("charger_id", ["..", "a/b", "", "x" * 49])
def test_an_unsafe_charger_id_gets_no_certificate(tmp_path: Path, charger_id: str) -> None:
    with pytest.raises(ConfigError):
        make(tmp_path, chargers=[charger_id])
