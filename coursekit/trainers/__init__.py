"""What turns a model and a task into losses that fall."""
