"""How the hardware behaves, without any protocol: immutable states and pure steps.

A step takes the seconds that have passed (`dt_s`) and, where the outside world changes with time,
the seconds since the simulation began (`now_s`), and returns the next state. Powers follow the
load convention of `contracts.power`: charging and import positive.
"""
