"""`programs:` in the gateway's settings: templates, versions, enrolments with their conditions."""

import json
from datetime import UTC, date, datetime, timedelta

import pytest
import yaml

from contracts.config import loads
from contracts.errors import ConfigError
from gateway.config import GatewaySettings
from gateway.domain.program import Policy
from gateway.programs.versions import price_sources

SETTINGS = """\
data: data
sites:
  - {site_id: depot-1, name: North, time_zone: America/New_York, import_limit_w: 500000}
  - {site_id: depot-2, name: South, time_zone: America/New_York, import_limit_w: 500000}
link: {ca: a, broker_cert: b, broker_key: c, cert: d, key: e, nats: f}
programs:
  - program_id: relief
    utility_id: u1
    template: ladwp-dr-type
    product: day-ahead
    on_breach: opt_out
    rules:
      quotas: [{limit: 3, per: month}]
    enrolments:
      - site_id: depot-1
        nominated_w: 120000
        since: 2026-06-15
        until: 2026-10-15
        network: class-16
        consent: {by: the depot's owner, given: 2026-04-01, text: contract 7}
        owner:
          max_events_per_month: 4
          max_duration: PT3H
          min_ready_share: 0.9
          quiet: [{start: "22:00", end: "06:00", days: weekends}]
  - program_id: relief
    utility_id: u1
    template: ladwp-dr-type
    version: "2"
    valid_from: 2026-08-01
"""


def load(text: str = SETTINGS) -> GatewaySettings:
    return loads(text, GatewaySettings, name="gateway.yaml")


def test_settings_written_out_in_full_read_as_before() -> None:
    settings = load()
    text = yaml.safe_dump(settings.model_dump(mode="json"))
    assert load(text) == settings


@pytest.mark.row("portfolio:A1")
def test_a_program_takes_from_its_template_what_it_does_not_say() -> None:
    portfolio = load().portfolio()
    july, august = datetime(2026, 7, 31, tzinfo=UTC), datetime(2026, 8, 2, tzinfo=UTC)
    first, second = portfolio.program("relief", july), portfolio.program("relief", august)
    assert first is not None
    assert second is not None
    assert (first.version, second.version) == ("1", "2")
    assert first.name == "Commercial DR, LADWP type"
    assert str(first.zone) == "America/Los_Angeles"
    assert first.on_breach is Policy.OPT_OUT
    assert [quota.limit for quota in first.rules.quotas] == [3]
    assert [quota.limit for quota in second.rules.quotas] == [1, 20]
    assert first.rules.durations == second.rules.durations
    assert first.baseline.x_days == 3
    assert portfolio.program("relief") is second


@pytest.mark.row("portfolio:A2")
def test_an_enrolment_is_dated_with_owner_and_consent() -> None:
    portfolio = load().portfolio()
    (one,) = portfolio.enrolments
    assert one.consent is not None
    assert (one.consent.by, one.consent.given) == ("the depot's owner", date(2026, 4, 1))
    assert (one.network, one.owner.max_events_per_month) == ("class-16", 4)
    assert one.owner.max_duration == timedelta(hours=3)
    (quiet,) = one.owner.quiet
    assert (quiet.start, quiet.end, quiet.kinds) == (1320, 360, frozenset({5, 6, 7}))
    summer, winter = datetime(2026, 7, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    assert portfolio.nominations("relief", summer) == {"depot-1": 120_000.0}
    assert portfolio.nominations("relief", winter) == {}


@pytest.mark.parametrize(
    ("old", "new", "where", "why"),
    [
        ("template: ladwp-dr-type\n    product", "template: ladwp\n    product", ":7", "template"),
        ("product: day-ahead", "product: week-ahead", ":7", "2 hours, day-ahead"),
        ("until: 2026-10-15", "until: 2026-06-14", ":15: programs.0.enrolments.0", "before since"),
        ('start: "22:00"', 'start: "22"', "quiet.0.start", "is no time of day"),
        ("limit: 3", "limit: x", ":13: programs.0.rules.quotas.0.limit", "valid number"),
        ("    valid_from: 2026-08-01\n", "", "gateway.yaml:1", "doubled: relief"),
        (
            "    valid_from: 2026-08-01\n",
            "    valid_from: 2026-08-01\n"
            "    enrolments: [{site_id: depot-1, nominated_w: 1, since: 2026-10-15}]\n",
            "gateway.yaml:1",
            "on any day; doubled: depot-1",
        ),
    ],
)
def test_a_mistake_is_named(old: str, new: str, where: str, why: str) -> None:
    assert old in SETTINGS
    with pytest.raises(ConfigError) as caught:
        load(SETTINGS.replace(old, new))
    assert where in str(caught.value)
    assert why in str(caught.value)


def test_a_site_may_come_back_in_a_later_version() -> None:
    again = "    enrolments: [{site_id: depot-1, nominated_w: 1, since: 2026-10-16}]\n"
    assert len(load(SETTINGS + again).portfolio().enrolments) == 2


def test_a_firm_level_and_a_source_of_prices_are_said_in_the_settings() -> None:
    level = SETTINGS.replace(
        "nominated_w: 120000", "nominated_w: 120000\n        firm_level_w: 80000"
    )
    enrolled = load(level).portfolio().enrolled("relief")
    assert enrolled["depot-1"].firm_level_w == 80_000
    priced = SETTINGS.replace(
        "    product: day-ahead", "    product: day-ahead\n    price_source: np15"
    )
    with pytest.raises(ConfigError, match="there is no price source 'np15'"):
        load(priced)
    source = {"kind": "csv", "source_id": "np15", "file": "p.csv", "area": "NP15"}
    zone = {"currency": "USD", "time_zone": "America/Los_Angeles"}
    settings = load(f"{priced}prices: {{sources: [{json.dumps(source | zone)}]}}\n")
    assert price_sources(settings.programs) == {}  # the newest version's settings count
    assert price_sources(settings.programs[:1]) == {"relief": "np15"}


def test_a_stop_loss_is_an_amount_of_a_month() -> None:
    score = "penalties: [{excess: score, stop_loss_rate: 3 USD/kW-month}]"
    program = load(SETTINGS.replace("quotas: [{limit: 3, per: month}]", score)).programs[0]
    (rule,) = program.program().rules.penalties
    assert rule.words.endswith("at most 3 USD a kW-month (example) is lost")
    with pytest.raises(ConfigError, match="kW-month or month"):
        load(SETTINGS.replace("quotas: [{limit: 3, per: month}]", score.replace("kW-month", "kWh")))
