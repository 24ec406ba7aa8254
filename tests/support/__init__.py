"""Stand-ins and builders that several tests share."""
