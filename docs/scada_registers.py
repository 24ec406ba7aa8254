"""The register map of the site as a Modbus server: from the map that the server itself reads."""
# ruff: noqa: INP001 (a script's part, not of a package)

from __future__ import annotations

from collections.abc import Iterable, Iterator

from site_agent.scada.map import (
    IDENTITY_FIELDS,
    LIMIT_FIELDS,
    MEASUREMENT_SIZE,
    MEASUREMENTS,
    SPOTS,
    STATE_FIELDS,
    VERSION,
    Field,
)

_ABOUT = """\
What a control centre reads from the site, and where it may limit it, when the settings have
[`scada`](settings.md#site-scada); [how to set it up](../how-to/let-an-operator-limit-the-site.md).
Function codes 3 and 4 read the same registers, 6 and 16 write limits. Addresses are those on the
wire, counted from 0 (some tools show them from 40001 on). Numbers of two registers have the high
word first. One request reads within one block; registers between blocks do not exist (exception 2).
Registers are only ever added.
"""
_MEASUREMENTS = """\
Four registers each: the value (i32), its quality (0 good, 1 estimated, 2 stale, 3 invalid,
4 offline) and the age of the control cycle it is from, in s. Without a value the number is
-2147483648 (8000 0000) and the age 65535: there is never a made-up 0. Import, consumption and
charging are positive.
"""
_LIMITS = """\
Only with an input of kind `registers` in [`telecontrol`](settings.md#site-telecontrol-registers).
FFFF FFFF (or FFFF) leaves a side free; of W and percent the tighter counts.
A number of two registers is written in one request. Every write, also one of the watchdog alone,
renews the lease. More than 1 GW or 100 % is refused (exception 3) and changes nothing. A limit only
ever tightens what contract, fuses and utilities allow.
"""


def page(made: str) -> str:
    """The page; `made` says that nobody writes it by hand."""
    lines = ["# Registers of the site", "", made, "", f"Version {VERSION} of the map.", ""]
    lines += _ABOUT.splitlines()
    lines += ["", "## Identity", "", *_table(IDENTITY_FIELDS)]
    lines += ["", "## Measurements", "", *_MEASUREMENTS.splitlines(), "", *_spots()]
    lines += ["", "## Limits", "", *_LIMITS.splitlines(), "", *_table(LIMIT_FIELDS)]
    lines += ["", "## State of the limits", "", *_table(STATE_FIELDS)]
    return "\n".join(lines) + "\n"


def _table(fields: Iterable[Field]) -> Iterator[str]:
    yield from ("| address | type | meaning |", "|---|---|---|")
    for one in fields:
        yield f"| {one.address} | {one.kind} | {one.meaning} |"


def _spots() -> Iterator[str]:
    yield from ("| address | counts | point | meaning |", "|---|---|---|---|")
    for place, one in enumerate(SPOTS):
        address = MEASUREMENTS + MEASUREMENT_SIZE * place
        yield f"| {address} | {one.unit} | `{one.point}` | {one.meaning} |"
