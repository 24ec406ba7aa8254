"""`gridyard event`: events by hand at a running gateway."""
