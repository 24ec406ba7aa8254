"""The words two or more programs share: time, power, series, errors, identity, wire formats.

Nothing here knows a program; every program may import everything here.
"""
