"""What telematics providers know of vehicles: state of charge, and the trips that are planned.

Written after the providers' public descriptions and tried against fakes of the same shape, never
on a provider's real service.
"""
