"""Reading: the lines of a batch become rows of `events`, or refusals with a reason."""
