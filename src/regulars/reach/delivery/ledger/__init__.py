"""The ledger of the executor: every move of a row is one statement with the state it comes from."""
