"""What falls due, when people are reminded of it, and how the reminder reaches them."""
