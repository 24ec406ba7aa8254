"""The test PKI: a utility side and a site side, two roots that never sign for each other."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from certs.authority import CLIENT, SERVER, Authority, Wanted
from certs.certificates import Identity, host_names, uri_name
from certs.sep2 import Sep2Pki, make_sep2_pki
from contracts.clock import SystemClock
from contracts.errors import ConfigError
from contracts.private_files import private_folder
from contracts.site_link.subjects import checked_site_id

LOOPBACK = ("127.0.0.1", "localhost")
_CHARGER_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]{0,47}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pki:
    """Where everything lies (see README.md for who shows what to whom)."""

    folder: Path
    utility_ca: Path
    vtn: Identity
    ven: Identity
    site_ca: Path
    site_ca_key: Path
    """For a gateway that issues credentials; nobody else needs it."""
    broker: Identity
    gateway: Identity
    sites: Mapping[str, Identity]
    """By site id."""
    chargers: Mapping[str, Identity]
    """By charger id."""
    sep2: Sep2Pki
    """Of a utility that speaks IEEE 2030.5."""
    nats: Path
    """Folder for the NATS operator, account and signing seeds."""


def make_test_pki(
    folder: Path,
    *,
    sites: Sequence[str],
    chargers: Sequence[str] = (),
    hosts: Sequence[str] = LOOPBACK,
    now: datetime | None = None,
) -> Pki:
    """Make, keep or renew every key and certificate in `folder`.

    `hosts` are the addresses and names under which the utility's server and the broker are
    reached; `now` stands for the present time in tests.

    Raises:
        PermanentError: a site id that may not stand in a NATS subject.
        ConfigError: a charger id that may not stand in a file name.
    """
    now = now or SystemClock().now()
    private_folder(folder)
    (folder / ".gitignore").write_text("*\n")
    utility = Authority(folder / "utility", "utility side root", now)
    site_side = Authority(folder / "sites", "site side root", now)
    return Pki(
        folder=folder,
        utility_ca=utility.identity.cert,
        vtn=utility.identity_of("vtn", _both(_server("vtn", hosts))),
        ven=utility.identity_of("ven", _both(_client("ven", "gateway"), hosts)),
        site_ca=site_side.identity.cert,
        site_ca_key=site_side.identity.key,
        broker=site_side.identity_of("broker", _server("broker", hosts)),
        gateway=site_side.identity_of("gateway", _client("gateway", "gateway")),
        sites={
            site: site_side.identity_of(f"site-{site}", _client("site", site))
            for site in map(checked_site_id, sites)
        },
        chargers={
            charger: site_side.identity_of(f"charger-{charger}", _client("charger", charger))
            for charger in map(_checked_charger_id, chargers)
        },
        sep2=make_sep2_pki(folder / "sep2", now, hosts=hosts),
        nats=private_folder(folder / "nats"),
    )


def _both(wanted: Wanted, hosts: Sequence[str] = ()) -> Wanted:
    """In the push model of OpenADR each side is the other's server and client."""
    names = (*wanted.alt_names, *host_names(hosts))
    return replace(wanted, usage=(SERVER, CLIENT), alt_names=names)


def _server(name: str, hosts: Sequence[str]) -> Wanted:
    return Wanted(name=name, usage=(SERVER,), alt_names=host_names(hosts))


def _client(role: str, name: str) -> Wanted:
    uri = f"urn:gridyard:{role}:{name}"
    return Wanted(name=f"{role} {name}", usage=(CLIENT,), alt_names=uri_name(uri))


def _checked_charger_id(charger_id: str) -> str:
    if not _CHARGER_ID.fullmatch(charger_id):
        raise ConfigError(f"charger id {charger_id!r}: use 1-48 of letters, digits, '_', '.', '-'")
    return charger_id
