"""A real language model behind the demo server: its weights, its process, and what is asked of it."""
