"""The catalogue of offers: every version kept, the newest that holds in force."""
