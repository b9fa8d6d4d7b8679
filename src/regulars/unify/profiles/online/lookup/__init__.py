"""A profile read online: who is asked for, what the store holds of them, what it says."""
