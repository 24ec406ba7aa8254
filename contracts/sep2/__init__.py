"""IEEE 2030.5-2018 and CSIP-AUS resources and their XML codec.

Shared by the gateway's client and the utility simulator. `resources` names every resource,
`codec.encode` and `codec.decode` are the way to and from bytes, `codes` names the numbers.
Values keep the sign, the unit and the scale of the standard; mapping modules convert them.
"""
