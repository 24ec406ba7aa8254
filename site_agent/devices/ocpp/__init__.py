"""An OCPP central system for one depot: 1.6J, 2.0.1 and 2.1 behind one `site_agent.ports.Charger`.

::

    CentralSystem            one WebSocket server: who may come in, and with which version
    ├── Gate                 what strangers may cost before they have said who they are
    └── Station              one charging station over all its connections
        ├── Session          one socket: frames, answers in order, one CALL in flight (`Outbox`)
        ├── Dialect          `v16`, `v201`, `v21`: our words to the wire's and back, without state
        ├── CloudProxy       its existing cloud CSMS, if it keeps one; see `proxy`
        └── OcppCharger      one EVSE: the `Charger` that the flows see
            ├── Transactions   which transaction runs, over restarts of either side
            ├── Metering       samples: to the `Meter`, or late to the `History`; all to the store
            └── Steering       limits to charging profiles: fail-safe share, lease, ladder of forms

What a charger does when this process dies: a TxProfile of ours ends by itself (`Timing.lease_s`)
and leaves the resting TxDefaultProfile, the EVSE's `fail_safe_current_a`, in force. It needs no
clock and survives a reboot of the charger. See `steering` for the chargers that cannot do this.
"""
