"""OCPP-J on one socket: frames, schemas, answers in order, one CALL of ours in flight."""
