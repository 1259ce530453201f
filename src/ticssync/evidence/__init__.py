"""Proof: what an item needs (`rules`), what is wrong with a file (`flags`), how it comes in (`folders`, `hand_in`)."""
