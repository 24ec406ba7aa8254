"""What delivery is worth: lines of money by a program's rules, each with its rule and inputs.

Rates come from the program's data; no tariff in force was read, so a rate is an example unless the
data say otherwise. Money is `Decimal` and rounded once, at the line.
"""
