"""What is kept of copy review: evidence on file, names of the catalogue, human decisions."""
