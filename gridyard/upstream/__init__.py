"""What utilities should have of our telemetry, asked of a running gateway."""
