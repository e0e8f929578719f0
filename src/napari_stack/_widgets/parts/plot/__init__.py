"""Plots of values over frames."""
