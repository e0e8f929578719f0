"""Tests of formats of files."""
