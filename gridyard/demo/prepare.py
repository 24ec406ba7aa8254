"""What must be in the gateway's store before the demo starts: labelled, synthetic history."""

from __future__ import annotations

from datetime import datetime, timedelta

from contracts.site_link.points import PCC_POWER_W
from gateway.config import GatewaySettings
from gateway.store.database import Database
from gateway.store.telemetry import SqlTelemetry
from gridyard.demo.history import LABEL, synthetic_history
from gridyard.demo.plan import DEPOTS


async def load_history(settings: GatewaySettings, now: datetime) -> None:
    """Ten past days of load for every depot, around this time of day."""
    settings.data.mkdir(parents=True, exist_ok=True)
    database = Database.open(settings.database)
    try:
        store = SqlTelemetry(database, max_hold=timedelta(minutes=5))
        for depot in DEPOTS:
            history = synthetic_history(around=now, typical_w=depot.typical_w, seed=depot.seed)
            await store.insert_history(depot.site_id, PCC_POWER_W, history, LABEL)
    finally:
        database.close()
