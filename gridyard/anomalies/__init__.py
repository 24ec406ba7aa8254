"""`gridyard anomalies`: what is wrong with meters, chargers and sites."""
