"""What the coming hours bring: building load, PV, vehicles; each with how far it may be off."""
