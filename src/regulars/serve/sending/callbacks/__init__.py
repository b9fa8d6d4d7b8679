"""What providers call back with, beside receipts: new contacts, grants, tasks staff carry out."""
