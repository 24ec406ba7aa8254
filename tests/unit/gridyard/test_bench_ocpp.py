from __future__ import annotations

from contextlib import ExitStack

import pytest

from gridyard.bench import ocpp
from gridyard.bench.core import Row, at_most
from gridyard.bench.ocpp_load import bare
from gridyard.bench.ocpp_servers import Server, library, ours
from gridyard.bench.processes import got

CHARGERS = 3


@pytest.mark.parametrize("server", [ours, library])
def test_messages_are_answered_and_limits_confirmed_by_all(server: Server) -> None:
    with ExitStack() as stack:
        serving, asking = ocpp._pair(stack, server, bare, CHARGERS)
        assert ocpp._flat_out(asking, 0.2) > 0
        serving.send(("burst", [20.0]))
        (taken,) = got(serving, list)
        assert len(taken) == CHARGERS
        assert min(taken) > 0


def test_the_round_with_the_middle_ratio_counts() -> None:
    row: Row = ocpp._middle(
        at_most, "work", "ms", [1.0, 9.0, 4.0], [2.0, 9.0, 5.0], "a peer", 0.9, ""
    )
    assert (row.ours, row.other, row.ratio, row.holds) == (4.0, 5.0, 0.8, True)
