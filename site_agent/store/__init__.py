"""The site's own database: outbox, instructions, transactions, learnt capabilities."""
