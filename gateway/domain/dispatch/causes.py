"""Why a site was asked for this, and why nobody gives the rest, in words for owner and operator."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from contracts.time import Interval
from gateway.domain.dispatch.choose import Choice
from gateway.domain.dispatch.fill import NOTHING_W
from gateway.domain.dispatch.problem import Vector
from gateway.domain.flexibility import SiteFlexibility
from gateway.domain.words import kw, pct

_SHORT = 1e-6


def cause(site: SiteFlexibility, index: int, pieces: Sequence[Interval], choice: Choice) -> str:
    """Why a site is asked for this, for its owner and for the operator."""
    if not site.available:
        return f"not counted on: {site.reason or 'not available'}"
    note = f" ({site.reason})" if site.reason else ""
    given = choice.given_w[index]
    most = float(given.max(initial=0.0))
    if most <= NOTHING_W:
        nothing = "it offers nothing" if site.down_w <= NOTHING_W else "nothing is needed of it"
        return f"asked nothing: {nothing}{note}"
    where = int(given.argmax())
    offered = _offered_w(site, choice.cap_w[index], where)
    amount = _amount(site, given, offered, pieces[where])
    return f"{amount}{_bound(site, index, pieces, choice, offered)}{note}"


def _offered_w(site: SiteFlexibility, cap: Vector, where: int) -> float:
    return float(cap[where]) if site.slots else site.down_w


def _amount(site: SiteFlexibility, given: Vector, offered: float, piece: Interval) -> str:
    most = float(given.max())
    if most >= offered - NOTHING_W:
        return f"all of the {kw(offered)} it offers"
    varies = float(np.ptp(given[given > NOTHING_W])) > _SHORT * most
    since = f" from {_clock(site, piece.start)}" if varies else ""
    return f"{kw(most)} of {kw(offered)} offered{since}"


def _bound(
    site: SiteFlexibility, index: int, pieces: Sequence[Interval], choice: Choice, offered: float
) -> str:
    """What held it there."""
    given = choice.given_w[index]
    where = int(given.argmax())
    most, cap = float(given[where]), float(choice.cap_w[index, where])
    if choice.tired[index]:
        last = int(np.flatnonzero(given > NOTHING_W)[-1])
        end = pieces[last].end
        until = f" lasts until {_clock(site, end)}" if end else " is all asked for"
        return f": its energy{until}"
    held = (
        (choice.grouped[index, where], ": the limit of its network group binds"),
        (most >= offered - NOTHING_W, ""),
        (most >= cap - NOTHING_W, ": its lowest import binds"),
        (choice.rising[index, where], ": it cannot come down faster"),
    )
    for holds, words in held:
        if holds:
            return words
    if most > choice.sure_w[index, where] + NOTHING_W:
        return f": {kw(float(choice.sure_w[index, where]))} of it is sure, the rest is likely"
    spared = choice.cost[index]
    before = f", {pct(float(spared))} less for what it was asked before" if spared > _SHORT else ""
    return f" ({pct(most / offered)}): fair share{before}"


def _clock(site: SiteFlexibility, instant: datetime) -> str:
    return f"{instant.astimezone(site.zone):%H:%M}"


def why_short(choice: Choice, asked_w: Vector) -> str:
    """What the shortfall is for where it is largest; empty when there is none."""
    if not choice.short_w.any():
        return ""
    where = int(choice.short_w.argmax())
    short = float(choice.short_w[where])
    power = min(short, max(0.0, float(asked_w[where] - choice.cap_w[:, where].sum())))
    left = choice.cap_w[:, where] - choice.given_w[:, where]
    parts = [("the offers do not reach it", power)]
    rest = short - power
    for name, held in (
        ("energy does not last", choice.tired),
        ("limits of network groups bind", choice.grouped[:, where]),
        ("sites cannot come down faster", choice.rising[:, where]),
    ):
        part = min(rest, float(left[held].sum()))
        left = np.where(held, 0.0, left)
        parts.append((name, part))
        rest -= part
    return ", ".join(f"{kw(w)}: {name}" for name, w in parts if w > NOTHING_W)
