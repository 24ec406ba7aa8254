"""After an event: evidence, settlement, and the report made of them."""
