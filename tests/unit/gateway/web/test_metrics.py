"""What Prometheus reads."""

import math
from dataclasses import replace

import httpx
from prometheus_client.parser import text_string_to_metric_families

from gateway.web.app import create_app
from support.gateway_web import World, browser


def parsed(text: str) -> dict[tuple[str, str], float]:
    """`(name, label value)` of every sample."""
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_a_scrape_tells_how_it_is_going(reader: httpx.AsyncClient) -> None:
    answer = await reader.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    found = parsed(answer.text)
    assert found["gridyard_sites", ""] == 3
    assert found["gridyard_sites_online", ""] == 3
    assert found["gridyard_events", "active"] == 1
    assert found["gridyard_events", "cancelled"] == 0
    assert found["gridyard_site_data_age_seconds", "harbor"] == 1.5
    assert 40_000 < found["gridyard_site_power_watts", "harbor"] < 60_000
    assert found["gridyard_utility_connected", "pacific-utility"] == 1
    assert round(found["gridyard_instruction_stored_seconds", "harbor"], 3) == 0.4
    assert found["gridyard_telemetry_rows_total", ""] == 4200
    gap = (
        found["gridyard_portfolio_baseline_watts", ""]
        - found["gridyard_portfolio_target_watts", ""]
    )
    assert round(gap) == 105_000


async def test_unknown_is_nan_never_zero(bare_reader: httpx.AsyncClient) -> None:
    found = parsed((await bare_reader.get("/metrics")).text)
    assert math.isnan(found["gridyard_portfolio_power_watts", ""])
    assert math.isnan(found["gridyard_site_data_age_seconds", "harbor"])
    assert found["gridyard_sites_online", ""] == 0


async def test_it_is_not_ready_while_a_part_is_down(world: World) -> None:
    app = create_app(replace(world.state, checks=lambda: {"site_link": False}))
    async with browser(app) as client:
        answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]) == (503, {"site_link": False})


async def test_probes(client: httpx.AsyncClient, world: World) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    ready = (await client.get("/readyz")).json()
    assert ready == {"status": "ready", "checks": {}, "utilities": {"pacific-utility": True}}
