"""`gridyard telemetry`: what a gateway has measured, as files."""
