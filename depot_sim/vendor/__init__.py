"""Devices with register maps of their makers, from public register documents named in each module.

Only what a site controller reads and writes is there. Behaviour beside the registers (watchdogs,
fallbacks) is what the documents and public reports say; no real device has been compared.
"""
