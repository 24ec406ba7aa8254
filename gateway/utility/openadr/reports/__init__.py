"""EiReport, VEN side: what is offered, when it is due, and what goes into it."""
