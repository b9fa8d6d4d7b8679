"""What runs in the environment of the second engine is no test of this one."""

collect_ignore = ["on_sail.py"]
