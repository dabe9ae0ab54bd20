"""Seeded code that makes the trained parameters in `coursekit/data`. `make artifacts` runs `python -m` on it."""
