"""Putting a device into service: who is there, what it says, whether it does what it is told.

::

    capture    what a device's registers read, as a file: for tests and for asking for help
    replay     a capture served on a real socket, or looked up without one
"""
