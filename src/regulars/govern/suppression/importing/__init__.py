"""Lists of customers and addresses nothing may go to."""
