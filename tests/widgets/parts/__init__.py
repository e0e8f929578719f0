"""Tests of the parts of the widgets."""
