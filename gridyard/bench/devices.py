"""Field devices: our register link beside plain pymodbus, and how punctual a whole agent is."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from multiprocessing.connection import Connection

from gridyard.bench.core import Bench, Row, at_most
from gridyard.bench.devices_parties import COUNT, Ports, field, punctual_agent, readers
from gridyard.bench.ocpp_load import bare
from gridyard.bench.processes import got, process

_CHARGERS, _SECONDS, _EVERY_S = 50, 20.0, 1.0
_ROUNDS, _READS = 10, 400
_OVERHEAD, _LATE_MS = 1.3, 20.0


def _run() -> Sequence[Row]:
    with process(field) as devices:
        ports = got(devices, dict)
        return [overhead(ports["meter"]), punctuality(ports)]


def overhead(port: int, rounds: int = _ROUNDS, reads: int = _READS) -> Row:
    """Microseconds of one read of 100 registers, ours and plain pymodbus by turns."""
    with process(readers, port, rounds, reads) as both:
        we, they = zip(*got(both, list)[1:], strict=True)
    ours_us, others_us = statistics.median(we), statistics.median(they)
    spread = f"{min(we):.0f}-{max(we):.0f}"
    name = f"one read of {COUNT} registers"
    return at_most(name, "us", ours_us, others_us, "plain pymodbus", _OVERHEAD, spread)


def punctuality(ports: Ports, chargers: int = _CHARGERS, seconds: float = _SECONDS) -> Row:
    """How late the agent's polls, control cycles and other pauses of up to 2 s end."""
    with process(punctual_agent, ports, chargers) as server:
        url = got(server, str)
        with process(bare, url, chargers) as load:
            got(load, str)
            _order(server, "begin")
            load.send(("paced", seconds, _EVERY_S))
            got(load, float)
            late_ms = sorted(late_s * 1e3 for late_s in _order(server, "late"))
    p99_ms = late_ms[int(len(late_ms) * 0.99)]
    devices = f"1 meter at 250 ms, 2 batteries, 4 PV, {chargers} chargers"
    spread = f"p50 {statistics.median(late_ms):.1f}, most {late_ms[-1]:.0f} of {len(late_ms)}"
    return at_most(f"late, p99: {devices}", "ms", p99_ms, _LATE_MS, "the bar", 1.0, spread)


def _order(server: Connection, what: str) -> list[float]:
    server.send(what)
    return got(server, list)


BENCH = Bench(
    name="devices",
    about="register reads beside plain pymodbus; how late a depot's polls and control cycles are",
    run=_run,
    packages=("pymodbus",),
)
