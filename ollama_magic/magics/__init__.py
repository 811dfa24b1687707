"""The magics: `%%chat`, `%%generate` and `%ollama`, and what follows a cell."""
