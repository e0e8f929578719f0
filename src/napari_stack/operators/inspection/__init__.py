"""Inspection: what was measured for each frame, as tables and plots."""
