"""SunSpec meters, batteries and inverters over a Modbus register link."""
