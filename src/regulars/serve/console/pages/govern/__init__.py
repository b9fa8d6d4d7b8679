"""Pages of govern: what customers may ask for."""
