"""What each endpoint of Ollama's API does with a request."""
