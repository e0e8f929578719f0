"""Stacks from layers and layers from stacks."""
