"""Devices that show named points, whatever wire brings them.

A wire (a register profile, an MQTT topic map, an M-Bus telegram, a CAN database, an OBIS list) is a
`Source`: it fills a `PointBoard` with readings named and signed as in `vocabulary`, and writes
controls if it can. `meter`, `battery`, `pv`, `charger` and `sensor` make of any source what the
control loop knows (`site_agent.ports`).
"""
