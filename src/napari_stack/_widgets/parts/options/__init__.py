"""Rows of options: what an operator takes, the layer, its axes, and values remembered."""
