"""One depot's agent: chargers, battery, PV, meters, vehicles; runs alone when the link is down.

The way of a setpoint: `devices/` keep fresh states; `flows/control` takes a snapshot,
`domain.decide.control.decide` turns it and the envelope of all limits into setpoints, and the loop
applies them. `flows/orders` brings what the gateway and the operator ask into the envelope,
`flows/plan` what the plan and the site's rules wish, `flows/fleet` who is plugged in and expected;
`flows/report` puts what was measured into the outbox; `uplink/` carries it to the gateway.
`assembly/` puts it all together.
"""
