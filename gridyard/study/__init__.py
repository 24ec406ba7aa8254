"""Studies: what our own decisions do on recorded days, beside other rules and the optimum."""
