"""Things to learn, with right answers."""
