"""`gridyard demo`: a utility, the gateway, three depots and one event, on real sockets."""
