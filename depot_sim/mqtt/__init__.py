"""Devices that speak MQTT: our own JSON, or as those behind a Victron GX do."""
