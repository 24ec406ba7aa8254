"""`/api/v1/utilities`: what an adapter remembers of its utility, for whoever looks into it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException, Path
from pydantic import JsonValue, TypeAdapter

from gateway.web.state import WebState

MAX_RECORDS = 1000
_RECORDS = TypeAdapter(dict[str, JsonValue])
Kind = Annotated[str, Path(pattern=r"^[A-Za-z0-9]{1,40}$")]


def add_routes(router: APIRouter, state: WebState) -> None:
    """Records of utilities; nothing here changes any."""

    @router.get("/utilities/{utility_id}/records/{kind}", tags=["utilities"])
    async def records(utility_id: str, kind: Kind) -> dict[str, JsonValue]:
        """Documents of one kind that the utility's adapter keeps over a restart, by key.

        Their form is the adapter's own and may change with a release. At most 1000, in key order.
        """
        if utility_id not in {health.utility_id for health in state.utilities()}:
            raise HTTPException(404, f"There is no utility {utility_id!r}")
        found = await state.records(utility_id, kind)
        return _RECORDS.validate_python({key: found[key] for key in sorted(found)[:MAX_RECORDS]})
