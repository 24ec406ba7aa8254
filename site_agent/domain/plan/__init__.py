"""The plan of the coming day: readiness first, then every kilowatt-hour at its best price."""
