"""Value: what a customer will spend, whether he is still one, and how sure that is."""
