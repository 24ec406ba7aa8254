"""`nominations` of a program's rules and `nominate` of the settings."""

from datetime import timedelta

import pytest
import yaml

from contracts.config import loads
from contracts.days import WEEKDAYS
from contracts.errors import ConfigError
from gateway.config import GatewaySettings
from gateway.domain.nomination.sizing import PriceStep
from gateway.domain.program.quota import Per
from gateway.programs import library

SETTINGS = """\
data: data
sites: [{site_id: depot-1, name: North, time_zone: America/New_York, import_limit_w: 500000}]
link: {ca: a, broker_cert: b, broker_key: c, cert: d, key: e, nats: f}
programs:
  - program_id: bids
    name: Bids
    utility_id: u1
    rules:
      nominations:
        - {period: day, resolution: PT30M, gate: {by: "17:00"}, own_price: true, price_cap: 0.5}
    nominate:
      confidence: 0.8
      ahead: PT3H
      accept: auto
      prices: [{up_to_w: 20000, per_kwh: 0.25}, {per_kwh: 0.4}]
  - {program_id: bids, name: Bids, utility_id: u1, version: "2", valid_from: 2026-08-01}
  - {program_id: plain, name: Plain, utility_id: u1, template: cbp-pge-type, nominate: {}}
"""


def load(text: str = SETTINGS) -> GatewaySettings:
    return loads(text, GatewaySettings, name="gateway.yaml")


@pytest.mark.row("portfolio:A3")
def test_a_rule_and_how_proposals_are_made() -> None:
    settings = load()
    first, second, _ = settings.programs
    (rule,) = first.program().rules.nominations
    assert (rule.period, rule.resolution, rule.own_price) == (Per.DAY, timedelta(minutes=30), True)
    assert rule.gate is not None
    assert (rule.gate.by, rule.gate.days_before) == (17 * 60, 1)
    assert second.program().rules.nominations == ()
    # The newest version of `bids` makes no proposals; the defaults are for people.
    assert set(settings.nominating()) == {"plain"}
    found = first.nominate.options() if first.nominate else None
    assert found is not None
    assert (found.ahead, found.auto, found.terms.confidence) == (timedelta(hours=3), True, 0.8)
    assert found.terms.prices == (
        PriceStep(up_to_w=20_000.0, per_kwh=0.25),
        PriceStep(up_to_w=None, per_kwh=0.4),
    )
    assert load(yaml.safe_dump(settings.model_dump(mode="json"))) == settings


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("period: day", "period: a day", "nominations"),
        ("resolution: PT30M", "resolution: PT1M", "at least 5 min"),
        ("template: cbp-pge-type, ", "", "no rule for nominations"),
        ("{per_kwh: 0.4}", "{up_to_w: 10000, per_kwh: 0.4}", "must rise from step to step"),
        ("confidence: 0.8", "confidence: 0.3", "confidence"),
        ("accept: auto", "accept: always", "accept"),
        ("ahead: PT3H", "ahead: PT1M", "ahead"),
    ],
)
def test_mistakes_are_told_with_their_key(old: str, new: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        load(SETTINGS.replace(old, new))


@pytest.mark.row("portfolio:A3")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("cbp-pge-type", "nominated for a month"),
        ("scr-type", "bid for a month at our own price of at most 0.5 per kWh"),
        ("dfs-type", "bid for every 30 min of a day at our own price"),
        ("wdrm-type", "bid for every 5 min of a day at our own price"),
        ("bip-type", "nominated for the dates of a contract"),
    ],
)
def test_templates_say_for_what_one_nominates(name: str, words: str) -> None:
    (rule,) = library.program(library.template(name)).rules.nominations
    assert rule.words == words


def test_the_week_of_a_term_is_bid_in_eight_parts() -> None:
    (rule,) = library.program(library.template("ers-type")).rules.nominations
    assert rule.period is Per.TERM
    assert [part.rest for part in rule.parts] == [False] * 7 + [True]
    first = rule.parts[0]
    assert (first.start, first.end, first.kinds) == (300, 540, WEEKDAYS)
