"""The site link, site side: outbound to the gateway's broker, fed from the outbox."""
