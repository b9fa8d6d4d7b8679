"""Who of a journey was left alone, told to whoever measures."""
