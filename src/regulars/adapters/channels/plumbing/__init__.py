"""What channels share: calls with a deadline, pace, answers, set-up, memory of what was sent."""
