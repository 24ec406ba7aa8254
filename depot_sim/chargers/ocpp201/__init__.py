"""OCPP 2.0.1, charging station side: everything but displays and local controllers."""
