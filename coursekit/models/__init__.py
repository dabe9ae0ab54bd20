"""Layers put together: they read parameters and write."""
