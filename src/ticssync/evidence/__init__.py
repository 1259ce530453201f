"""Proof: what an item needs (`rules`), what is odd about a file (`flags`), how it comes in (the others)."""
