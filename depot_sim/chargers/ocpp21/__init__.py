"""OCPP 2.1: 2.0.1 with vehicles that give back, as far as smart charging goes."""
