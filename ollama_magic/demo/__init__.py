"""A server that speaks Ollama's protocol with scripted replies; knows nothing of the rest of the package."""
