"""OCPP 2.0.1, charging station side: provisioning, authorisation, transactions, smart charging."""
