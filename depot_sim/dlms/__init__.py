"""DLMS/COSEM meters of the plant, on TCP by wrapper or by HDLC."""
