"""What goes to sites and comes from them: letting in, presence, telemetry, instructions."""
