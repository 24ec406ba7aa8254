"""Devices on MQTT by topic maps, and the site's own broker for them."""
