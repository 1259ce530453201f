"""pytest entry point of the kit."""
