from __future__ import annotations

from gridyard.bench import devices
from gridyard.bench.devices_parties import field
from gridyard.bench.processes import got, process


def test_reads_are_timed_and_a_whole_agent_notes_how_late_it_wakes() -> None:
    with process(field) as hardware:
        ports = got(hardware, dict)
        read = devices.overhead(ports["meter"], rounds=3, reads=20)
        assert read.ours > 0
        assert read.other is not None
        assert read.other > 0
        late = devices.punctuality(ports, chargers=2, seconds=3.0)
        assert late.ours > 0
        assert late.other == 20.0
