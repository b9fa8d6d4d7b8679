"""Creators (KOC, KOL): a link and a code each, the orders they brought, what is due to them."""
