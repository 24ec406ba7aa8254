"""The site shown to a local SCADA or telecontrol, as a Modbus server."""
