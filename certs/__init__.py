"""How keys and certificates for tests and pilots are made (never stored in git)."""
