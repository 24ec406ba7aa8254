"""What is promised to a program for a period, proposed from what sites have offered.

`period` says for when and until when, `history` what was offered, `comparable` which past hours
count, `beside` what other programs have, `sizing` what rules make of a quantity; `proposal` joins
them. `nomination` is the value with its life, `committed` what it means for events.
"""
