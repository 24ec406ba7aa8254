"""OpenADR 2.0b payloads and their XML codec, shared by the VEN (gateway) and the VTN (vtn_sim)."""
