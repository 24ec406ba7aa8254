"""DLMS/COSEM meters (IEC 62056)."""
