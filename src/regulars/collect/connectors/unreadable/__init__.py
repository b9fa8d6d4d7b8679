"""Files of sources that could not be read, kept in mind until they can be."""
