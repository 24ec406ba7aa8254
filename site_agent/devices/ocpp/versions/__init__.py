"""What differs between the OCPP versions: our words to the wire's and back, without state."""
