"""The link between gateway and site, version 1: messages, their JSON codec, subjects and points."""
