"""The DER event rules of IEEE 2030.5 for one EndDevice: what is in force, and what to answer.

An adapter maps the server's resources into `Known`; `engine.advance` takes them in at an instant
and tells the schedule of every mode, the Responses that are due and when to look again.
"""
