"""A small server that speaks Ollama's protocol: recorded answers, and a place for a language model of its own."""
