"""A utility to test against: an OpenADR 2.0b VTN over mutual TLS, scripted, observed and judged."""
