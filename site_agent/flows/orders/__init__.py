"""What others may ask of the site: the gateway's instructions, the network operator's orders."""
