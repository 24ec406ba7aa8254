"""`gridyard site configure ...`: sites' settings from their gateway."""
