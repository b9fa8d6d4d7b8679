"""What is new since audiences were judged, and whom it concerns."""
