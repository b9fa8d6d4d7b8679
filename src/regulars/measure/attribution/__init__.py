"""Attribution: which creator an order is attributed to, by a code used or a link followed."""
