"""The magics: `%%chat`, `%%generate` and `%ollama`, Tab, and what follows a cell."""
