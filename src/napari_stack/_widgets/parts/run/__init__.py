"""A run: its worker, progress and forecast, errors, and the card of its result."""
