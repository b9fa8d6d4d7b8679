"""The canvas: a journey's graph laid out in layers, its ways drawn with right angles only."""
