"""The solutions of the tests' own tiny lab, in the layout of the real ones."""
