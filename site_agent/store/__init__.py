"""The site's own database: outbox, instructions, charging sessions, the clouds' messages, facts."""
