"""The depots that come with the simulator, and the agent's settings for them."""

from __future__ import annotations

from contracts.config import load
from depot_sim.config import EXAMPLE, DepotSettings
from site_agent.config import SiteSettings


def test_the_agent_of_the_difficult_depot_knows_every_charger() -> None:
    depot = load(EXAMPLE.with_name("difficult.yaml"), DepotSettings)
    site = load(EXAMPLE.with_name("difficult-site.yaml"), SiteSettings)
    assert site.site_id == depot.site_id
    assert site.meter.port == depot.meter.port
    assert {charger.url for charger in depot.chargers} == {f"ws://127.0.0.1:{site.ocpp.port}"}
    settings = {charger.id: charger for charger in site.chargers}
    assert list(settings) == [charger.id for charger in depot.chargers]
    for charger in depot.chargers:
        assert f"ocpp{charger.version}" in settings[charger.id].versions
        assert settings[charger.id].max_current_a == charger.rated_a
        assert bool(settings[charger.id].max_discharge_a) == charger.bidirectional
