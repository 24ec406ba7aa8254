"""Rules that people write: if this holds, then batteries and vehicles should do that.

Rules stand in the order of their priority. Of what one device should do, **the first rule that
holds and says something of it decides**; of bounds on the site's import, **all that hold count, so
the tightest does**. What rules wish is guidance: limits, protection and readiness come first
(`decide.guidance`). A rule's `limit` alone is firm: it joins the envelope (`protect.limits`).
"""
