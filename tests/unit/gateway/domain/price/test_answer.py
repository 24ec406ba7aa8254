"""The portfolio's expected answer to prices, from what sites expect of themselves."""

from contracts.series import StepSeries
from gateway.domain.price.answer import Basis, SiteAnswer, portfolio_answer
from support.prices import HOUR, T0, hours

PRICES = StepSeries.of([(hours(0, 1), 0.30), (hours(1, 2), 0.10)])


def site(site_id: str, first_w: float, second_w: float, basis: Basis = Basis.THESE) -> SiteAnswer:
    return SiteAnswer(
        site_id=site_id,
        currency="EUR",
        per_kwh=PRICES,
        expected_w=StepSeries.of([(hours(0, 1), first_w), (hours(1, 2), second_w)]),
        basis=basis,
    )


def test_the_expected_load_is_the_sum_of_those_that_answer_these_prices() -> None:
    sites = [site("a", 1e3, 9e3), site("b", -2e3, 3e3), site("c", 7e3, 7e3, Basis.OLDER)]
    found = portfolio_answer(sites, T0)
    assert [one.value for one in found.expected_w] == [-1e3, 12e3]
    assert found.costs.keys() == {"a", "b"}
    assert len(found.sites) == 3


def test_a_plan_that_moves_energy_to_the_cheap_hour_costs_less_than_an_even_load() -> None:
    cost = portfolio_answer([site("a", 1e3, 9e3)], T0).costs["a"]
    assert cost.energy_wh == 10e3
    assert (round(cost.paid, 9), round(cost.even, 9)) == (1.2, 2.0)


def test_export_is_not_priced_as_import() -> None:
    cost = portfolio_answer([site("a", -5e3, 10e3)], T0).costs["a"]
    assert (cost.energy_wh, round(cost.paid, 9)) == (10e3, 1.0)


def test_what_is_over_and_what_has_no_price_is_left_out() -> None:
    found = portfolio_answer([site("a", 1e3, 9e3)], T0 + HOUR)
    assert [one.interval for one in found.expected_w] == [hours(1, 2)]
    assert found.costs["a"].energy_wh == 9e3
    over = portfolio_answer([site("a", 1e3, 9e3)], T0 + 2 * HOUR)
    assert (len(over.expected_w), dict(over.costs)) == (0, {})


def test_nobody_answers() -> None:
    found = portfolio_answer([site("c", 7e3, 7e3, Basis.NONE)], T0)
    assert (len(found.expected_w), dict(found.costs)) == (0, {})
