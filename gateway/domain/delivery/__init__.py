"""What was delivered, minute by minute, and what follows from it for the next minute."""
