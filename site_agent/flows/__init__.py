"""One module per hop: snapshot to setpoints, instructions to envelope, readings to outbox."""
