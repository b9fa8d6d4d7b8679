"""The stock of codes: batches made, imported and shared; what became of each code."""
