"""Registration: measure how frames moved against a reference."""
