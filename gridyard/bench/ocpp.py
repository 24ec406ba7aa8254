"""Chargers: our central system beside the `ocpp` library and a bare echo, and a depot of 500."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Connection

from gridyard.bench.core import Bench, Row, at_least, at_most
from gridyard.bench.ocpp_load import Load, bare, echoed, simulated
from gridyard.bench.ocpp_servers import Server, echo, library, ours, whole_agent
from gridyard.bench.processes import got, process

_MANY, _LARGE = 100, 500
_ROUNDS, _FLAT_OUT_S = 5, 2.0
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


def throughput(chargers: int, seconds: float = _FLAT_OUT_S, rounds: int = _ROUNDS) -> Sequence[Row]:
    """MeterValues of eight samples a second, each charger waiting for its answer."""
    with ExitStack() as stack:
        loads = [
            _pair(stack, server, load, chargers)[1]
            for server, load in ((ours, bare), (library, bare), (echo, echoed))
        ]
        turns = [[_flat_out(load, seconds) for load in loads] for _ in range(rounds)]
    we, they, floor = zip(*turns, strict=True)
    name, spread = f"MeterValues, {chargers} chargers", f"{min(we):.0f}-{max(we):.0f}"
    return [
        _middle(at_least, name, "1/s", we, they, "ocpp library", _TIMES_MORE, spread),
        _middle(at_least, name, "1/s", we, floor, "bare websockets echo", 0.0, spread),
    ]


def bursts(chargers: int, limits: Sequence[float] = tuple(_LIMITS)) -> Sequence[Row]:
    """One limit to all: ours beside the library, then ours to `depot_sim`'s chargers."""
    with ExitStack() as stack:
        servers = [_pair(stack, server, bare, chargers)[0] for server in (ours, library)]
        turns = [[_burst(server, limit_a) for server in servers] for limit_a in limits][1:]
    with ExitStack() as stack:
        server, _ = _pair(stack, ours, simulated, chargers)
        field = [_burst(server, limit_a) for limit_a in limits][1:]
    we, they = zip(*turns, strict=True)
    faster, name = 1 / _TIMES_FASTER, f"limits to {chargers} chargers, all confirmed"
    our_p50, their_p50 = [one.p50_ms for one in we], [one.p50_ms for one in they]
    our_p99, their_p99 = [one.p99_ms for one in we], [one.p99_ms for one in they]
    peer = "ocpp library"
    return [
        _middle(at_most, f"{name}, p50", "ms", our_p50, their_p50, peer, faster, _spread(our_p50)),
        _middle(at_most, f"{name}, p99", "ms", our_p99, their_p99, peer, faster, _spread(our_p99)),
        at_most(
            f"{name}, simulated, p99",
            "ms",
            statistics.median(one.p99_ms for one in field),
            _CONFIRMED_MS,
            "the bar",
            1.0,
            f"p50 {statistics.median(one.p50_ms for one in field):.0f} ms",
        ),
    ]


def _middle(
    judge: Callable[[str, str, float, float, str, float, str], Row],
    name: str,
    unit: str,
    ours: Sequence[float],
    others: Sequence[float],
    other_is: str,
    bar: float,
    spread: str,
) -> Row:
    """The row of the round whose ratio is the middle one: both sides of it met the same machine."""
    rounds = sorted(zip(ours, others, strict=True), key=lambda pair: pair[0] / pair[1])
    we, they = rounds[len(rounds) // 2]
    return judge(name, unit, we, they, other_is, bar, spread)


def _spread(figures: Sequence[float]) -> str:
    return f"{min(figures):.0f}-{max(figures):.0f}"


def _pair(
    stack: ExitStack, server: Server, load: Load, chargers: int
) -> tuple[Connection, Connection]:
    """A central system and its chargers, all of them in a transaction."""
    serving = stack.enter_context(process(server, chargers))
    asking = stack.enter_context(process(load, got(serving, str), chargers))
    got(asking, str)
    serving.send("started")
    got(serving, int)
    return serving, asking


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


def _flat_out(load: Connection, seconds: float) -> float:
    load.send(("flat-out", seconds))
    return got(load, float)


def _burst(server: Connection, limit_a: float) -> Burst:
    server.send(("burst", [limit_a]))
    (taken,) = got(server, list)
    taken.sort()
    return Burst(p50_ms=taken[len(taken) // 2], p99_ms=taken[max(0, int(len(taken) * 0.99) - 1)])


BENCH = Bench(
    name="ocpp",
    about="OCPP sessions beside the ocpp library and a bare echo; 500 chargers on one agent",
    run=_run,
    packages=("websockets", "ocpp", "jsonschema-rs", "msgspec"),
)
