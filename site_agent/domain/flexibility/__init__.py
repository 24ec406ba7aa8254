"""What the site can offer: how far it can lower or raise its import, when, and for how long."""
