"""Places on pages of a shop: what is shown there, asked for and told by the page itself."""
