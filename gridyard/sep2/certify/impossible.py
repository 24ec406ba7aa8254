"""Procedures that no client can run by itself at a server it does not own, and why."""

from __future__ import annotations

from collections.abc import Mapping

_CERTIFICATE = "the server would have to show a faulty certificate"
_SERVER = "a test of servers, which the test house runs"
IMPOSSIBLE: Mapping[str, str] = {
    "COMM-001": "discovery by DNS-SD is not required of aggregators",
    "COMM-004D": _CERTIFICATE,
    "COMM-004E": _CERTIFICATE,
    "COMM-004F": _CERTIFICATE,
    "COMM-004G": _CERTIFICATE,
    "COMM-004H": _CERTIFICATE,
    "CORE-001": _SERVER,
    "CORE-002": _SERVER,
    "CORE-004": _SERVER,
    "UTIL-001": _SERVER,
    "MAINT-002": "not required of aggregators",
    "ERR-001": "the server would have to answer 301 and 302",
}
"""Those of faulty certificates and redirects can be played by the simulator:
`gridyard utility-sim --procedure ID`."""
SIMULATED = frozenset(one for one in IMPOSSIBLE if one.startswith(("COMM-004", "ERR")))
"""Those that the simulator plays."""
