"""The parts of `gridyard bench sep2` that measure nothing, and the whole with two devices."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from certs.pki import make_test_pki
from gridyard.bench import sep2_clients
from gridyard.bench.core import as_document, as_table
from gridyard.bench.registry import BENCHES
from gridyard.bench.sep2_fleet import (
    Cost,
    Fleet,
    Measured,
    client_settings,
    compared,
    rows,
    server_settings,
)

FLEET = Fleet(devices=2, own_lists=True)


def measured(requests: int) -> Measured:
    cost = Cost(requests=requests, seconds=1.0)
    return Measured(discovery=cost, poll=cost, seen=frozenset())


def test_it_is_registered_and_names_whose_versions_matter() -> None:
    assert "py20305" in as_document(BENCHES["sep2"], [])["versions"]  # type: ignore[operator]


def test_requests_are_counted_for_each_device() -> None:
    found = list(compared(FLEET, measured(20), measured(16)))
    assert [row.unit for row in found] == ["requests/device", "s"] * 2
    assert (found[0].ours, found[0].other, found[0].ratio) == (10.0, 8.0, 1.25)
    assert [row.holds for row in found] == [False, True] * 2


def test_without_the_peer_there_is_nothing_to_miss_and_the_row_says_so() -> None:
    found = list(compared(FLEET, measured(20), None))
    assert {(row.other, row.ratio, row.holds) for row in found} == {(None, None, True)}
    assert "py20305 is not installed" in as_table(found)


def test_both_sides_speak_of_the_same_devices(tmp_path: Path) -> None:
    pki = make_test_pki(tmp_path, sites=["depot-1"])
    ours = client_settings(FLEET, pki, "https://127.0.0.1:1/dcap")
    assert [one.lfdi for one in ours.devices] == [
        one.lfdi for one in server_settings(FLEET, pki).devices
    ]


@pytest.mark.xdist_group("realtime")
def test_our_client_finds_all_of_a_small_fleet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "py20305.client.csip_client", None)
    discovery, _, poll, _ = rows([FLEET])
    assert discovery.ours <= 12
    assert poll.ours == 7  # a list of programs, and controls and default of each of the three
    assert sep2_clients.POLL_RATE_S < 900
