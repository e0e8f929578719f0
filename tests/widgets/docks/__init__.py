"""Tests of the docks of the widgets."""
