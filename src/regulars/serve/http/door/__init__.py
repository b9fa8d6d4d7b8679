"""The door: who may come in, with what right, and to which workspace."""
