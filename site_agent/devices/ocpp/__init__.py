"""An OCPP central system for the chargers of one site: 1.6J and 2.0.1 behind one `Charger`."""
