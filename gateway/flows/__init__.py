"""From one port to the next: each module carries a domain decision one hop.

Events come in (`events`), are split over the sites and followed minute by minute (`dispatch`), go
to the sites and come back as telemetry (`sites`), and end as a report (`report`); utilities are
told of it (`upstream`). Market prices go their own way to the sites (`prices`).
"""
