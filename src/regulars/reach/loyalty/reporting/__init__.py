"""Reports on points: what is owed, what moves by month, what other rules would cost."""
