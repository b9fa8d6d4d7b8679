"""Gates: what must hold before an effect may be read at all."""
