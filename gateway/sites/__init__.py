"""The site link, gateway side: the embedded broker, its credentials, and messages over NATS."""
