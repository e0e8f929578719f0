"""Tests of the formats of microscopes."""
