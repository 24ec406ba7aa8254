"""`gridyard prices ...`: what energy costs the sites, and how they are expected to answer."""
