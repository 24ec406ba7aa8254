"""Who is plugged in, who is expected, and what the fleet's systems tell and are told."""
