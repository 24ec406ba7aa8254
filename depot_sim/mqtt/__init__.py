"""Devices that speak JSON over the site's own MQTT broker."""
