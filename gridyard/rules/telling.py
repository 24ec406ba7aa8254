"""What rules mean, what is wrong with them, and which hold at an instant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

from contracts.config import load
from contracts.errors import ConfigError
from site_agent.config import SiteSettings
from site_agent.config.rules import rules_of
from site_agent.domain.mode import Mode
from site_agent.domain.price import NO_PRICE, Level, PriceView
from site_agent.domain.rules.check import Ground, findings
from site_agent.domain.rules.circumstances import Circumstances
from site_agent.domain.rules.defaults import DEFAULT_RULES
from site_agent.domain.rules.evaluate import Verdict, evaluate
from site_agent.domain.rules.rule import Rule
from site_agent.domain.rules.words import sentence
from site_agent.flows.plan.rules import Prices, no_prices, tariff_prices

Json = Mapping[str, object]
Word = TypeVar("Word", bound=StrEnum)
_UNKNOWN = "is not known"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleBook:
    """The rules of a site."""

    site_id: str
    zone: ZoneInfo
    rules: Sequence[Rule]
    own: bool
    """False: it has written none, so these are the default ones."""
    ground: Ground
    prices: Prices = no_prices


@dataclass(frozen=True, slots=True, kw_only=True)
class Supposed:
    """What is supposed to be so; None: not known."""

    price: float | None = None
    level: Level | None = None
    soc_pct: float | None = None
    building_w: float | None = None
    surplus_w: float | None = None
    event: bool = False
    mode: Mode | None = None


def rule_book(site: Path) -> RuleBook:
    """The rules in a site's settings.

    Raises:
        ConfigError: the settings cannot be read, or are wrong.
    """
    settings = load(site, SiteSettings)
    own, tariff = rules_of(settings.rules), settings.tariff_paid()
    return RuleBook(
        site_id=settings.site_id,
        zone=ZoneInfo(settings.time_zone),
        rules=own or DEFAULT_RULES,
        own=bool(own),
        prices=no_prices if tariff is None else tariff_prices(tariff),
        ground=Ground(
            vehicles=frozenset(one.vehicle_id for one in settings.fleet),
            batteries=bool(settings.batteries),
            tariff=tariff is not None,
            contract_limit_w=settings.contract_limit_w,
        ),
    )


def checked(book: RuleBook) -> Json:
    """Every rule in words, and what is worth a warning."""
    found = findings(book.rules, book.ground) if book.own else ()
    return {
        "site": book.site_id,
        "default": not book.own,
        "rules": [{"name": one.name, "says": sentence(one)} for one in book.rules],
        "warnings": [{"rule": one.rule, "words": one.words} for one in found],
    }


def checked_lines(answer: Json) -> Iterator[str]:
    """The same for people."""
    rules, warnings = _items(answer["rules"]), _items(answer["warnings"])
    if answer["default"]:
        yield "no rules in these settings; with the strategy `rules` the default ones hold:"
    for place, rule in enumerate(rules, start=1):
        yield f"{place}. {rule['name']}: {rule['says']}"
    for warning in warnings:
        yield f"warning: {warning['rule']}: {warning['words']}"
    if not answer["default"]:
        yield f"{len(rules)} rules, {len(warnings)} warnings"


def explained(book: RuleBook, at: datetime, supposed: Supposed) -> Json:
    """Which rules hold at an instant; the price is the tariff's where none is supposed."""
    price = PriceView(now=supposed.price, level=supposed.level)
    seen = Circumstances(
        local=at.astimezone(book.zone),
        price=book.prices(at) if price == NO_PRICE else price,
        soc_pct=supposed.soc_pct,
        building_w=supposed.building_w,
        surplus_w=supposed.surplus_w,
        event=supposed.event,
        mode=supposed.mode,
    )
    verdict = evaluate(book.rules, seen)
    return {
        "site": book.site_id,
        "at": seen.local.isoformat(),
        "rules": [_state(one, verdict) for one in book.rules],
    }


def explained_lines(answer: Json) -> Iterator[str]:
    """The same for people."""
    yield f"{answer['site']} at {answer['at']}"
    for place, rule in enumerate(_items(answer["rules"]), start=1):
        why = f" ({rule['why']})" if rule["why"] else ""
        yield f"{place}. {rule['name']}: {rule['state']}{why}"
        yield f"   {rule['says']}"


def instant(text: str | None, zone: ZoneInfo, now: datetime) -> datetime:
    """A time as people write it: `2026-07-01T17:30`, in the site's zone unless it names another.

    Raises:
        ConfigError: it is no time.
    """
    if text is None:
        return now
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise ConfigError(f"--at: {text!r} is no time such as 2026-07-01T17:30") from error
    return at if at.tzinfo is not None else at.replace(tzinfo=zone)


def chosen(option: str, of: type[Word], text: str | None) -> Word | None:
    """One of the words of an enumeration.

    Raises:
        ConfigError: none of them.
    """
    if text is None:
        return None
    try:
        return of(text)
    except ValueError as error:
        known = ", ".join(one.value for one in of)
        raise ConfigError(f"{option}: {text!r} is none of {known}") from error


def _state(rule: Rule, verdict: Verdict) -> Json:
    why = verdict.others.get(rule.name, "")
    unknown = why.endswith(_UNKNOWN)
    state = "holds" if rule.name in verdict.holding else "does not hold"
    return {
        "name": rule.name,
        "state": "cannot be told" if unknown else state,
        "why": why,
        "says": sentence(rule),
    }


def _items(value: object) -> Sequence[Json]:
    return value if isinstance(value, list) else []
