"""What `%ollama` does: the table of its commands, and a module for each family of them."""
