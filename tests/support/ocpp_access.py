"""Who may charge at a depot under test: the cards TAG1 to TAG9, and no stranger."""

from __future__ import annotations

from site_agent.domain.fleet.access import Access, Rule
from site_agent.domain.fleet.identity import Credential, Kind, Roster

FEW = Access(
    roster=Roster(
        credentials={(Kind.TAG, f"tag{number}"): Credential() for number in range(1, 10)}
    ),
    strangers=Rule(admit=False),
)
ALL = Access()
