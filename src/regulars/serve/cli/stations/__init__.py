"""The commands of the stations, one module or folder per station."""
