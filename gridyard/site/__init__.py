"""`gridyard site ...`: run a depot's agent; at the gateway, let sites in and take it back."""
