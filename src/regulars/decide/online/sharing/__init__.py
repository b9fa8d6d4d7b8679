"""What decisions made online share with each other and with the turn: money, cells, stock."""
