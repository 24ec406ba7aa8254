"""`gridyard simulate`: a depot's days in seconds, by the agent's own decisions, without sockets."""
