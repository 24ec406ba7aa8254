"""One EVSE as the flows see it: its transaction, its meter, its clock."""
