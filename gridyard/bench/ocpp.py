"""Chargers: our central system beside the `ocpp` library and a bare echo, and a depot of 500."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection

from gridyard.bench.core import Bench, Row, at_least, at_most
from gridyard.bench.ocpp_load import Load, bare, echoed, simulated
from gridyard.bench.ocpp_servers import Server, echo, library, ours, whole_agent
from gridyard.bench.processes import got, process

_MANY, _LARGE = 100, 500
_RUNS, _FLAT_OUT_S = 3, 3.0
_PACED_S, _EVERY_S = 20.0, 10.0
_LIMITS = [31.0, 29.0, 27.0, 25.0, 23.0, 21.0]
"""Falling, as in an emergency; the first burst is the warm-up."""
_TIMES_MORE, _TIMES_FASTER = 8.0, 4.0
_CORE_SHARE, _CONFIRMED_MS = 0.15, 250.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """How long one limit to every charger took to be confirmed, ms."""

    p50_ms: float
    p99_ms: float


def _run() -> Sequence[Row]:
    return [*throughput(_MANY), *bursts(_LARGE), *core_shares(_LARGE)]


def throughput(chargers: int, seconds: float = _FLAT_OUT_S, runs: int = _RUNS) -> Sequence[Row]:
    """MeterValues of eight samples a second, each charger waiting for its answer."""
    we = _flat_out(ours, bare, chargers, seconds, runs)
    they = statistics.median(_flat_out(library, bare, chargers, seconds, runs))
    floor = statistics.median(_flat_out(echo, echoed, chargers, seconds, runs))
    name = f"MeterValues, {chargers} chargers"
    spread = f"{min(we):.0f}-{max(we):.0f}"
    return [
        at_least(name, "1/s", statistics.median(we), they, "ocpp library", _TIMES_MORE, spread),
        at_least(name, "1/s", statistics.median(we), floor, "bare websockets echo", 0.0, spread),
    ]


def bursts(chargers: int, limits: Sequence[float] = tuple(_LIMITS)) -> Sequence[Row]:
    """One limit to all: ours beside the library, then ours to `depot_sim`'s chargers."""
    we, they = _burst(ours, bare, chargers, limits), _burst(library, bare, chargers, limits)
    field = _burst(ours, simulated, chargers, limits)
    faster = 1 / _TIMES_FASTER
    name = f"limits to {chargers} chargers, all confirmed"
    return [
        at_most(f"{name}, p50", "ms", we.p50_ms, they.p50_ms, "ocpp library", faster, ""),
        at_most(f"{name}, p99", "ms", we.p99_ms, they.p99_ms, "ocpp library", faster, ""),
        at_most(
            f"{name}, simulated, p99",
            "ms",
            field.p99_ms,
            _CONFIRMED_MS,
            "the bar",
            1.0,
            f"p50 {field.p50_ms:.0f} ms",
        ),
    ]


def core_shares(chargers: int, seconds: float = _PACED_S, every_s: float = _EVERY_S) -> list[Row]:
    """Shares of one core that the whole agent uses: what MeterValues add, and all together."""
    with process(whole_agent, chargers) as server:
        url = got(server, str)
        with process(bare, url, chargers) as load:
            got(load, str)
            still = _share(server, load, ("still", seconds))
            metered = _share(server, load, ("paced", seconds, every_s))
    name = f"{chargers} chargers, MeterValues every {every_s:g} s"
    added = max(0.0, metered - still)
    spread = f"whole agent {metered:.2f} with, {still:.2f} without"
    return [at_most(name, "core", added, _CORE_SHARE, "the bar", 1.0, spread)]


def _share(
    server: Connection, load: Connection, what: tuple[str, float] | tuple[str, float, float]
) -> float:
    before = _cpu_s(server)
    load.send(what)
    got(load, float)
    return (_cpu_s(server) - before) / what[1]


def _cpu_s(server: Connection) -> float:
    server.send("cpu")
    return got(server, float)


def _flat_out(
    server: Server, load: Load, chargers: int, seconds: float, runs: int
) -> Sequence[float]:
    with process(server, chargers) as serving, process(load, got(serving, str), chargers) as asking:
        got(asking, str)
        rates = []
        for _ in range(runs):
            asking.send(("flat-out", seconds))
            rates.append(got(asking, float))
        return rates


def _burst(server: Server, load: Load, chargers: int, limits: Sequence[float]) -> Burst:
    with process(server, chargers) as serving, process(load, got(serving, str), chargers) as asking:
        got(asking, str)
        serving.send("started")
        got(serving, int)
        serving.send(("burst", list(limits)))
        _, *counted = got(serving, list)
    ordered = [sorted(taken) for taken in counted]
    return Burst(
        p50_ms=statistics.median(taken[len(taken) // 2] for taken in ordered),
        p99_ms=statistics.median(taken[int(len(taken) * 0.99) - 1] for taken in ordered),
    )


BENCH = Bench(
    name="ocpp",
    about="OCPP sessions beside the ocpp library and a bare echo; 500 chargers on one agent",
    run=_run,
    packages=("websockets", "ocpp", "jsonschema-rs"),
)
