"""The fleet API, version 1: dispatchers' programs tell of vehicles and ask how they are doing."""

from __future__ import annotations

from fastapi import APIRouter

from site_agent.config.fleet_systems import FleetApiSettings
from site_agent.fleet.api import looking, trips, uploads, vehicles
from site_agent.fleet.api.gate import Gate
from site_agent.fleet.api.service import FleetService
from site_agent.flows.fleet.answers import AnswerStore

PREFIX = "/api/fleet/v1"


def fleet_routes(
    settings: FleetApiSettings, service: FleetService, answers: AnswerStore
) -> APIRouter:
    """Every route below `PREFIX`; each checks its caller's token itself."""
    router = APIRouter(prefix=PREFIX)
    gate = Gate(settings, answers, service.clock)
    trips.add_routes(router, gate, service)
    vehicles.add_routes(router, gate, service)
    looking.add_routes(router, gate, service)
    uploads.add_routes(router, gate, service)
    return router
