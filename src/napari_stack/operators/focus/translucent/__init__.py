"""Scenes that hide nothing: light of all planes adds up (fluorescence), or passes through them."""
