"""How payloads look in XML; only `contracts.openadr.codec` needs to know."""
