"""Markets to test against: servers in the shapes of ENTSO-E and CAISO OASIS, with faults."""
