"""Which sites to tell, when every request has moved a little.

A deadband keeps a site from a message for every kilowatt. Held at each site alone it would swallow
a correction whole: a thousand sites each within theirs can be ten per cent of the target. So the
sum of what is not told has a bound too, and the largest changes are told until it holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum


def to_tell(
    changes_w: Mapping[str, float], deadbands_w: Mapping[str, float], tolerance_w: float
) -> frozenset[str]:
    """Sites whose change of request is worth a message.

    All beyond their own deadband; then the largest, until those not told sum up to at most
    `tolerance_w`, W > 0.
    """
    told = {s for s, change in changes_w.items() if abs(change) > deadbands_w[s]}
    left = {s: change for s, change in changes_w.items() if s not in told}
    rest_w = fsum(left.values())
    for site_id in sorted(left, key=lambda s: (-abs(left[s]), s)):
        if abs(rest_w) <= tolerance_w:
            break
        if left[site_id] * rest_w > 0:
            told.add(site_id)
            rest_w -= left[site_id]
    return frozenset(told)
