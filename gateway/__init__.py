"""The aggregator: utilities on one side, sites on the other, people on the web.

An event's way: `utility/` maps what came over the wire to a `GridEvent`; `flows/intake` decides
on it; `flows/dispatch` splits it over the sites; `sites/` delivers the instructions;
`flows/telemetry` takes in what the sites measured; `flows/settlement` compares it with the
baseline; `reports/` and `web/` show it, `flows/upstream_reports` tells the utility.
"""
