"""`gridyard device`: put batteries, inverters, meters and other field devices into service."""
