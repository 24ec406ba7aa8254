"""OpenADR 2.0b payloads and their XML codec, shared by the VEN (gateway) and the VTN (vtn_sim).

`payloads` names every message; `codec.encode` and `codec.decode` are the way to and from bytes;
`schema.validate` checks bytes against the official schema. Values are not converted here: a
number keeps the unit and `siScaleCode` it was sent with (`values.scale_factor` gives the factor).
"""
