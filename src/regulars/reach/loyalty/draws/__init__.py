"""The draw: published odds, a seed committed to beforehand, prizes reserved as they are won."""
