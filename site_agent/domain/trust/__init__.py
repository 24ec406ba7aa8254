"""How far the meter at the connection point is believed, whatever wire brings it.

`plausibility` refuses what cannot be true; `told`, `witness` and `register` set the meter beside
what devices say, how it answers their steps, and its own energy; `floors` believe a fall of the
building late; `doubt` bounds what a meter that is not proven may give. `meter` weighs all that into
a `belief`, which `room` respects.
"""
