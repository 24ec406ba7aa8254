"""OCPP 1.6J, charge point side: every profile, and the security white paper."""
