"""Discovery and unchanged poll of a fleet, by our client and by py20305 at the same server.

The server runs in a process of its own and counts the requests. Both clients must end up knowing
the same programs, controls and defaults of every EndDevice, or there are no figures.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from certs.pki import Pki, make_test_pki
from contracts.errors import PermanentError
from gateway.utility.sep2.settings import Sep2Settings
from gridyard.bench.core import Row, at_most
from gridyard.bench.sep2_clients import POLL_RATE_S, Client, Ours, Seen, Theirs
from gridyard.bench.sep2_server import ServedUtility, serving
from vtn_sim.sep2.settings import Sep2ServerSettings

_PROGRAMS, _CONTROLS = ("system", "feeder", "transformer"), 2
_REQUESTS_BAR, _SECONDS_BAR = 1.0, 1.5
"""Requests are exact; seconds are one run of each, and our discovery is the slower one (docs)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """So many EndDevices of one aggregator, each with the same three programs."""

    devices: int
    own_lists: bool
    """Every EndDevice has addresses of its own for its programs; False: they are shared."""

    @property
    def text(self) -> str:
        """In words."""
        return f"{self.devices} devices, {'own' if self.own_lists else 'shared'} lists"


FLEETS = (
    Fleet(devices=50, own_lists=True),
    Fleet(devices=200, own_lists=True),
    Fleet(devices=200, own_lists=False),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one piece of work took."""

    requests: int
    """As the server counted them."""
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One client with one fleet."""

    discovery: Cost
    poll: Cost
    """Nothing had changed since the one before."""
    seen: frozenset[Seen]


def rows(fleets: Sequence[Fleet] = FLEETS) -> Sequence[Row]:
    """Requests per device and seconds of either client.

    Raises:
        PermanentError: a client did not find everything.
    """
    with tempfile.TemporaryDirectory() as folder:
        pki = make_test_pki(Path(folder), sites=["depot-1"])
        return [row for fleet in fleets for row in _of_fleet(fleet, pki)]


def _of_fleet(fleet: Fleet, pki: Pki) -> Sequence[Row]:
    with serving(server_settings(fleet, pki)) as utility:
        settings = client_settings(fleet, pki, utility.url)
        ours = asyncio.run(_measured(Ours, settings, utility, fleet))
        try:
            theirs = asyncio.run(_measured(Theirs, settings, utility, fleet))
        except ImportError:
            return list(compared(fleet, ours, None))
    if theirs.seen != ours.seen:
        raise PermanentError(f"{fleet.text}: the clients do not know the same")
    return list(compared(fleet, ours, theirs))


async def _measured(
    client_of: Callable[[Sep2Settings], Client],
    settings: Sep2Settings,
    utility: ServedUtility,
    fleet: Fleet,
) -> Measured:
    client = client_of(settings)
    try:
        utility.counted()
        discovery = await _cost(client.discover, utility)
        await client.poll()
        utility.counted()
        poll = await _cost(client.poll, utility)
        seen = client.seen()
    finally:
        await client.aclose()
    _check_complete(fleet, seen)
    return Measured(discovery=discovery, poll=poll, seen=seen)


async def _cost(work: Callable[[], Awaitable[None]], utility: ServedUtility) -> Cost:
    start = time.perf_counter()
    await work()
    spent = time.perf_counter() - start
    return Cost(requests=sum(utility.counted().values()), seconds=spent)


def _check_complete(fleet: Fleet, seen: frozenset[Seen]) -> None:
    whole = [one for one in seen if len(one.controls) == _CONTROLS and one.default is not None]
    if len(whole) != fleet.devices * len(_PROGRAMS):
        raise PermanentError(f"{fleet.text}: only {len(whole)} whole programs found")


def compared(fleet: Fleet, ours: Measured, theirs: Measured | None) -> Iterator[Row]:
    """The rows of one fleet; `theirs` None: the peer is not installed."""
    peer = "py20305" if theirs else "py20305 is not installed"
    for name, own, other in (
        ("discovery", ours.discovery, None if theirs is None else theirs.discovery),
        ("unchanged poll", ours.poll, None if theirs is None else theirs.poll),
    ):
        what, n = f"{name}, {fleet.text}", fleet.devices
        requests = None if other is None else other.requests / n
        yield at_most(what, "requests/device", own.requests / n, requests, peer, _REQUESTS_BAR, "")
        seconds = None if other is None else other.seconds
        yield at_most(what, "s", own.seconds, seconds, peer, _SECONDS_BAR, "")


def server_settings(fleet: Fleet, pki: Pki) -> Sep2ServerSettings:
    """The utility with its fleet."""
    devices = [
        {"lfdi": lfdi_of(number), "fsas": ["topology"]} for number in range(1, fleet.devices + 1)
    ]
    default = {"modes": {"opModMaxLimW": 100}}
    return Sep2ServerSettings.model_validate(
        {
            "cert_file": pki.sep2.server.cert,
            "key_file": pki.sep2.server.key,
            "ca_file": pki.sep2.ca,
            "aggregators": [{"certificate": pki.sep2.aggregator.cert}],
            "devices": devices,
            "programs": [
                {"name": name, "primacy": rank, "default": default}
                for rank, name in enumerate(_PROGRAMS)
            ],
            "fsas": [{"name": "topology", "programs": _PROGRAMS}],
            "poll_rates": {"DERProgramList": POLL_RATE_S},
            "habits": {"per_device_hrefs": fleet.own_lists},
            "scenario": [{"do": _control(name, n)} for name in _PROGRAMS for n in range(_CONTROLS)],
        }
    )


def _control(program: str, number: int) -> dict[str, object]:
    """Far in the future, and without Responses: only reading is measured."""
    return {
        "action": "add-control",
        "program": program,
        "start_in_s": 86_400 + 3600 * number,
        "duration_s": 3600,
        "response_required": 0,
        "modes": {"opModMaxLimW": 50},
    }


def client_settings(fleet: Fleet, pki: Pki, url: str) -> Sep2Settings:
    """The aggregator of the fleet."""
    ratings = {"rtg_max_w": 100_000.0}
    devices = [
        {"lfdi": lfdi_of(number), "sites": [f"depot-{number}"], "ratings": ratings}
        for number in range(1, fleet.devices + 1)
    ]
    own = pki.sep2.aggregator
    return Sep2Settings.model_validate(
        {
            "utility_id": "utility",
            "url": url,
            "ca": pki.sep2.ca,
            "cert": own.cert,
            "key": own.key,
            "devices": devices,
            "timeout_s": 60,
        }
    )


def lfdi_of(number: int) -> str:
    """Assigned by the utility."""
    return f"{number:09X}" + "0" * 31
