"""The grid the site hangs on: outage, island, return, frequency."""
