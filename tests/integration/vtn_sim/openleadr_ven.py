"""An independent VEN (openleadr's client): `openleadr_ven.py URL FOLDER [FINGERPRINT]`.

It registers as `depot`, answers every event with optIn, reports 42.5 kW each second, and prints
one line of JSON for each event it is given. With the VTN's fingerprint it signs and checks.
"""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from openleadr import client

OpenADRClient: Any = client.OpenADRClient


def on_event(event: dict[str, Any]) -> str:
    """Say what came, opt in."""
    descriptor, signal = event["event_descriptor"], event["event_signals"][0]
    print(  # noqa: T201 - this is how it speaks
        json.dumps(
            {
                "event_id": descriptor["event_id"],
                "modification": descriptor["modification_number"],
                "status": descriptor["event_status"],
                "signal": signal["signal_name"],
                "scale": signal["measurement"]["scale"],
                "values": [interval["signal_payload"] for interval in signal["intervals"]],
            }
        ),
        flush=True,
    )
    return "optIn"


async def main(url: str, folder: Path, fingerprint: str | None = None) -> None:
    """Run until killed."""
    ven = OpenADRClient(
        ven_name="depot",
        vtn_url=url,
        cert=str(folder / "ven.pem"),
        key=str(folder / "ven.key"),
        ca_file=str(folder / "ca.pem"),
        disable_signature=fingerprint is None,
        vtn_fingerprint=fingerprint,
        check_hostname=False,
        show_fingerprint=False,
    )
    ven.add_report(
        callback=lambda: 42.5,
        resource_id="depot-1",
        measurement="REAL_POWER",
        scale="k",
        report_specifier_id="usage",
        r_id="power",
        sampling_rate=timedelta(seconds=1),
        report_duration=timedelta(hours=1),
    )
    ven.add_handler("on_event", on_event)
    ven.add_handler("on_update_event", on_event)
    await ven.run()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:]))
