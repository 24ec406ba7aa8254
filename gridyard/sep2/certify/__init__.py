"""The CSIP test procedures against any server, as far as a client can run them.

`unattended` runs what needs nobody; `watching` runs our real client while the utility's operator
acts, and judges what came of it. What no client can do is listed with the reason (`impossible`).
"""
