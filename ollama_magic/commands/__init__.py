"""The commands of `%ollama`: their table, and a module for each family."""
