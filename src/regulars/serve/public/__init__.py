"""Public pages: what customers reach by signed links, without signing in and without cookies."""
