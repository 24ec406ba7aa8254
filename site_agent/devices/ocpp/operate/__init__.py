"""What people do with chargers through the agent's console: look, ask, command, check in."""
