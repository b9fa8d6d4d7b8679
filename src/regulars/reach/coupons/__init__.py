"""Coupons: codes made or imported, given out one per contact, checked, redeemed, taken back."""
