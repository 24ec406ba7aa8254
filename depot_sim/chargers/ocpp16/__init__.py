"""OCPP 1.6J, charge point side: core profile without cache, smart charging, remote trigger."""
