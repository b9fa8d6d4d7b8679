"""Links: signed, so that nobody can change where one leads or whom it speaks for."""
