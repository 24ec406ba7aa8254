"""An OpenADR 2.0b VEN: registration, poll, events, opts and reports against one utility's VTN."""
