"""NATS subjects of the site link, and which site ids may appear in them."""

from __future__ import annotations

import re

from contracts.errors import PermanentError

_SITE_ID = re.compile(r"[a-z0-9-]{1,40}")

HELLO = "hello"
BATCH = "batch"
RENEW = "renew"
INSTRUCTION = "instr"
PRICES = "prices"
CONFIGURATION = "config"
GATEWAY_HERE = "gateway.here"
"""A gateway says this whenever it has begun to listen; sites answer with a Hello."""


def checked_site_id(site_id: str) -> str:
    """Return the id if it is safe inside a subject.

    A broker user named `*` would own every site's subjects, so ids are `[a-z0-9-]{1,40}`
    wherever one is issued, stored or put in a subject.

    Raises:
        PermanentError: the id holds anything else.
    """
    if not _SITE_ID.fullmatch(site_id):
        raise PermanentError(f"site id {site_id!r}: use 1-40 of a-z, 0-9 and '-'")
    return site_id


def up(site_id: str, verb: str) -> str:
    """Subject of a request from this site to the gateway."""
    return f"site.{checked_site_id(site_id)}.up.{verb}"


def up_from_any(verb: str) -> str:
    """Subject pattern under which the gateway hears this request from every site."""
    return f"site.*.up.{verb}"


def down(site_id: str, verb: str) -> str:
    """Subject of a request from the gateway to this site."""
    return f"site.{checked_site_id(site_id)}.down.{verb}"


def inbox_prefix(site_id: str) -> str:
    """The only inbox prefix the broker lets this site listen on."""
    return f"_INBOX_{checked_site_id(site_id)}"


def site_of(subject: str) -> str:
    """The site a subject belongs to; the broker has already confined the sender to it.

    Raises:
        PermanentError: not a subject of this link.
    """
    parts = subject.split(".")
    if len(parts) != 4 or parts[0] != "site":  # noqa: PLR2004 (site.<id>.<up|down>.<verb>)
        raise PermanentError(f"not a site subject: {subject!r}")
    return checked_site_id(parts[1])
