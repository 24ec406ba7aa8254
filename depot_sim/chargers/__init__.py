"""Chargers that speak OCPP-J 1.6 and 2.0.1 as clients.

::

    Charger            one charging station: physics, state and link together
    ├── Station        what every version shares: outlets, transactions, profiles, settings
    ├── Dialect        what differs: `ocpp16` and `ocpp201` turn events into CALLs and back
    └── Link           the socket: connect, boot, heartbeat, queue, back-off
        └── Session    OCPP-J frames over one WebSocket
"""
