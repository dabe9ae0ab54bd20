"""Given parts of models: forward, and the way back."""
