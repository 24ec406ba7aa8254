"""Chargers that speak OCPP-J 1.6, 2.0.1 and 2.1 as clients.

::

    Charger                one charging station: physics, state and link together
    ├── Station            what every version shares: outlets, transactions, settings
    │   └── SmartCharging  profiles, and the limits that follow from them
    ├── Cabinet            firmware, logs, certificates, and messages of its own accord
    ├── Dialect            what differs: `ocpp16`, `ocpp201` and `ocpp21` word events and answers
    └── Link               the socket: connect, boot, heartbeat, queue, back-off
        └── Session        OCPP-J frames over one WebSocket

A dialect's `answers` are the CALLs it serves, collected from modules by functional block; 2.1
adds to those of 2.0.1. Whatever comes later is on the station's `agenda`, played by the physics'
steps: no task, no timer.

How a charger deviates from all this is its Personality, composed of `traits`. What concerns every
version alike stands outside the dialects: `manners` (answers), `distortion` (meter values),
`mischief` and `false_ends` (the link).
"""
