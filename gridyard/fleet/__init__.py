"""`gridyard fleet`: files, tokens and webhooks of a depot's fleet."""
