"""`gridyard book`: what all sites offer together."""
