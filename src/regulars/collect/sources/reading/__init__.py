"""Reading: files of any shape become batches of rows, broken rows set apart."""
