import httpx


async def test_smoke(client: httpx.AsyncClient) -> None:
    for path in (
        "/",
        "/events",
        "/events/pacific-utility/evt-2026-1121",
        "/events/pacific-utility/evt-2026-1121/report",
        "/sites/north-yard",
        "/ui/chart",
        "/events/pacific-utility/evt-2026-1121/opt-out?site=harbor",
        "/events/pacific-utility/evt-2026-1121/report.pdf",
        "/events/pacific-utility/evt-2026-1121/report.csv",
        "/api/v1/sites",
        "/api/v1/events",
        "/api/v1/events/pacific-utility/evt-2026-1121",
        "/api/v1/portfolio",
        "/metrics",
        "/readyz",
        "/healthz",
        "/api/v1/events/pacific-utility/evt-2026-1121/reports/1",
        "/api/v1/events/pacific-utility/evt-2026-1121/instructions",
        "/api/v1/openapi.json",
    ):
        r = await client.get(path)
        assert r.status_code == 200, (path, r.text[:500])
