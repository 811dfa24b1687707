"""What is typed: the line reader, the magics, and the commands of `%ollama`."""
