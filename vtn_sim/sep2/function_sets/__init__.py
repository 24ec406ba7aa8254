"""The resources of each function set, made from what the utility has at the moment of a request."""
