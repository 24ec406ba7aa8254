"""Putting a device into service: who is there, what it says, whether it does what it is told.

::

    capture    what a device's registers read, as a file: for tests and for asking for help
    take       a capture of a device, as it is known and beyond
    replay     a capture served on a real socket, or looked up without one
    read_only  a register link that cannot write, and remembers what it read
    probe      who is there, unit by unit; `sunspec_survey` and `profile_survey` know them,
               `found` is what they find, `settings_block` what a site's settings need of it
    diagnose   why nobody answers
    yard       the configured devices of a site, running without their agent
    check      goes through them: `looks` only reads, `trials` move a device; `verdict` is a line
    live       values again and again; `told`: those of the running agent
"""
