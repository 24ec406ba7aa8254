"""How the parts of one agent are put together: what decides, the field, the gateway, people."""
