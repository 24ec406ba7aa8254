"""SunSpec devices on Modbus TCP: grid meter, battery, PV inverter.

Their register images begin with "SunS" at 40000 and are packed by pysunspec2's model definitions.
SunSpec counts generation and discharge positive in a DER; we count them negative. The sign flips
in `battery` and `inverter`, nowhere else. The meter counts import positive, as most installations
wire it (the definition of model 203 leaves the sign to the installer).
"""
