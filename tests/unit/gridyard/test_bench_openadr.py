"""The four parties of the bench for signed polls understand each other, crosswise."""

from __future__ import annotations

from pathlib import Path

import pytest

from gridyard.bench import openadr_peers as peers
from gridyard.bench.openadr_polls import PollCost, cost, make_parties


@pytest.mark.row("openadr:S3")
@pytest.mark.parametrize(
    ("server", "client"),
    [
        pytest.param(peers.their_server, peers.our_client, id="our VEN, openleadr's VTN"),
        pytest.param(peers.our_server, peers.their_client, id="openleadr's VEN, our VTN"),
    ],
)
def test_each_end_of_a_signed_poll_has_its_cost(
    tmp_path: Path, server: peers.Server, client: peers.Client
) -> None:
    found = cost(server, client, make_parties(tmp_path), polls=1, runs=1)
    assert min(found.ven_s, found.vtn_s) > 0.0


def test_both_ends_are_added_up() -> None:
    assert PollCost(ven_s=0.003, vtn_s=0.004).both_s == pytest.approx(0.007)
