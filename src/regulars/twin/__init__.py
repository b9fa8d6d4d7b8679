"""The twin: a simulated retailer with known truth; it meets the rest only through files."""
