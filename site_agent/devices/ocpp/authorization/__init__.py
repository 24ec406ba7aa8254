"""Who may charge: what chargers present, what they are answered, what they know while offline."""
