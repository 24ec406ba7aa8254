"""What the gateway is told: telemetry, notices, prospects and offers, as rows for the outbox."""
