"""Between a charger and its cloud CSMS: both work, our limits win, its absence harms nothing.

::

    CloudProxy               one for each station that has a `cloud`
    ├── CloudLink            our connection to the cloud, in the charger's name
    ├── Upward               what the charger tells, told on; the cloud's verdict if in time
    │   ├── Journal          what waits for the cloud, in order, over restarts
    │   └── Courier          brings it there, greets first, one message after the other
    ├── Downward             what the cloud orders: passed on, answered here, or refused (`guard`)
    │   └── ProfileBook      the cloud's charging profiles, kept here: they become a ceiling
    └── Ledger               transactions by our id and by the cloud's

The agent stays the charger's central system and answers it itself. No charging profile of the
cloud's reaches the charger: `ceiling` turns them into `ChargerState.ceiling_a`, and the smaller of
the two limits is sent.
"""
