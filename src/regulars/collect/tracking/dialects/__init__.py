"""One file or folder per wire: how its requests are read, how its events become Segment's form."""
