"""Limits as charging profiles: the fail-safe share, the lease above it, the ladder of forms."""
