"""`gridyard ocpp`: chargers of a running agent, seen and commanded by people."""
