"""May it charge: one decision for every way to ask, as a function of what is known."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from site_agent.domain.fleet.identity import (
    NO_AUTHORIZATION,
    Credential,
    Identity,
    Presented,
    Roster,
    same_token,
)


class Status(StrEnum):
    """OCPP 2.0.1 part 2, AuthorizationStatusEnumType."""

    ACCEPTED = "Accepted"
    BLOCKED = "Blocked"
    CONCURRENT_TX = "ConcurrentTx"
    EXPIRED = "Expired"
    INVALID = "Invalid"
    NOT_AT_THIS_LOCATION = "NotAtThisLocation"
    UNKNOWN = "Unknown"


class Offline(StrEnum):
    """Whom a charger lets charge while it cannot ask."""

    LIST = "list"
    """Cards of the fleet."""
    ANYONE = "anyone"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Who is let in: all or none, everywhere or only at some EVSEs."""

    admit: bool = True
    at: frozenset[str] | None = None
    """None: everywhere."""

    def allows(self, evses: Collection[str]) -> bool:
        """Whether it lets in at any of these."""
        return self.admit and (self.at is None or not self.at.isdisjoint(evses))


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A transaction that runs."""

    evse_id: str
    token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether it may charge, and why."""

    status: Status
    cause: str
    group: str | None = None
    valid_until: datetime | None = None
    evses: frozenset[str] | None = None
    """Only there; None: wherever it was asked for."""

    @property
    def accepted(self) -> bool:
        """Whether it may."""
        return self.status is Status.ACCEPTED


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The site's roster and its rules."""

    roster: Roster = field(default_factory=Roster)
    strangers: Rule = field(default_factory=Rule)
    """For credentials nobody knows."""
    bare: Rule = field(default_factory=Rule)
    """For starts without any: a button, or the cable alone."""
    concurrent: bool = True
    """Whether one card may charge at several plugs at once."""
    offline: Offline | None = None
    """None: what chargers do while they cannot ask is left to them."""

    def identify(self, presented: Presented, evse_id: str) -> Identity:
        """As `Roster.identify`."""
        return self.roster.identify(presented, evse_id)

    def verdict(
        self,
        presented: Presented,
        evses: Collection[str],
        now: datetime,
        running: Collection[Running] = (),
    ) -> Verdict:
        """Whether it may charge at one of `evses`.

        `running`: what runs elsewhere, when a transaction begins; asked for no start, as when a
        card is only shown (it may be there to stop its own), leave it empty.
        """
        if presented.bare:
            return _by_rule(self.bare, evses, Status.INVALID, "a start without a card")
        known = [one for _, one in self.roster.found(presented)]
        if known:
            verdict = _of_known(known, evses, now)
        else:
            verdict = _by_rule(self.strangers, evses, Status.UNKNOWN, "a card nobody knows")
        if verdict.accepted and not self.concurrent and _runs(presented, evses, running):
            return Verdict(
                status=Status.CONCURRENT_TX, cause="charges elsewhere", group=verdict.group
            )
        return verdict


def _of_known(known: list[Credential], evses: Collection[str], now: datetime) -> Verdict:
    """The first fault of any of its credentials, else what holds for all of them together."""
    group = next((one.group for one in known if one.group is not None), None)
    ends = min((one.valid_until for one in known if one.valid_until is not None), default=None)
    places = [one.evses for one in known if one.evses is not None]
    allowed = frozenset(evses).intersection(*places)
    if any(one.blocked for one in known):
        return Verdict(status=Status.BLOCKED, cause="blocked", group=group)
    if ends is not None and ends <= now:
        return Verdict(status=Status.EXPIRED, cause="expired", group=group, valid_until=ends)
    if places and not allowed:
        return Verdict(status=Status.NOT_AT_THIS_LOCATION, cause="not here", group=group)
    return Verdict(
        status=Status.ACCEPTED,
        cause="known",
        group=group,
        valid_until=ends,
        evses=_less(allowed, evses),
    )


def _by_rule(rule: Rule, evses: Collection[str], otherwise: Status, what: str) -> Verdict:
    if not rule.allows(evses):
        status = Status.NOT_AT_THIS_LOCATION if rule.admit else otherwise
        return Verdict(status=status, cause=f"{what}, refused")
    allowed = frozenset(evses) if rule.at is None else rule.at.intersection(evses)
    return Verdict(status=Status.ACCEPTED, cause=f"{what}, admitted", evses=_less(allowed, evses))


def _less(allowed: frozenset[str], asked: Collection[str]) -> frozenset[str] | None:
    return allowed if len(allowed) < len(set(asked)) else None


def _runs(presented: Presented, evses: Collection[str], running: Collection[Running]) -> bool:
    """Whether the same token charges at another EVSE."""
    if presented.token is None or presented.token_type == NO_AUTHORIZATION:
        return False
    return any(
        one.token is not None
        and one.evse_id not in evses
        and same_token(one.token, presented.token)
        for one in running
    )
