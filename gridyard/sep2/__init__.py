"""`gridyard sep2`: the tools of an integrator who commissions an IEEE 2030.5 connection."""
