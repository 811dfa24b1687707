"""The models that the server has: their names and facts, which are installed, which are loaded."""
