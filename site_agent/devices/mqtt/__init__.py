"""Batteries that speak JSON over MQTT, and the site's own broker for them."""
