"""Three programs from the templates, and who is enrolled in which."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from gateway.domain.enrolment import Enrolment, OwnerLimits
from gateway.domain.portfolio import Portfolio
from gateway.domain.program import Policy, Program
from gateway.programs import library
from gridyard.simulate.season.depots import Depots

CAPACITY, EMERGENCY, ENERGY = "cbp-pge-type", "bip-type", "elrp-type"
PRIORITIES = {EMERGENCY: 1, CAPACITY: 2, ENERGY: 3}
"""Of their events: the emergency before capacity, capacity before energy."""
UTILITY = "utility"
_NOMINATED = 0.8
_LIMITED_EVERY = 5
_LIMITS = OwnerLimits(max_events_per_month=5, max_duration=timedelta(hours=5))


def portfolio_of(depots: Depots) -> Portfolio:
    """Half of the depots in the capacity program, half in the emergency one, all in the energy one.

    The first two exclude each other by their rules, so nobody is in both. Every fifth depot has an
    owner who sets limits. What is promised is 80 % of the mean offer, a third of it for energy.
    """
    usual_w = depots.usual_offer_w() * _NOMINATED
    enrolments = []
    for index, site in enumerate(depots.sites):
        owner = OwnerLimits() if index % _LIMITED_EVERY else _LIMITS
        main = EMERGENCY if index // 2 % 2 else CAPACITY
        for name, share in ((main, 1.0), (ENERGY, 1 / 3)):
            enrolments.append(
                Enrolment(
                    site_id=site.site_id,
                    program_id=name,
                    nominated_w=float(usual_w[index]) * share,
                    owner=owner,
                )
            )
    programs = tuple(_program(name) for name in PRIORITIES)
    return Portfolio(sites=depots.sites, programs=programs, enrolments=tuple(enrolments))


def _program(name: str) -> Program:
    """A template, whose breaches we refuse and whose voluntary events we take."""
    made = library.program(library.template(name))
    return replace(made, utility_id=UTILITY, on_breach=Policy.OPT_OUT, on_voluntary=Policy.ACCEPT)
