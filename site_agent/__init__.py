"""One depot's agent: chargers, battery, PV, meters, vehicles; runs alone when the link is down.

The way of a setpoint: `devices/` keep fresh states; `flows/control_loop` takes a snapshot,
`domain.decide.control.decide` turns it and the envelope of all limits into setpoints, and the loop
applies them. `flows/instructions` brings the gateway's wishes into the envelope; `flows/telemetry`
puts what was measured into the outbox; `uplink/` carries it to the gateway. `assembly/` puts it all
together.
"""
