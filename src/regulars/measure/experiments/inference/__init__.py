"""Inference: from moments to an estimate, and from an estimate to what may be said."""
