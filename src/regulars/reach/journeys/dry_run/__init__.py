"""The dry run: recorded history walked through a draft journey, and nobody contacted."""
