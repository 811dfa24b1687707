"""The magics: `%%chat`, `%%generate` and `%ollama`, their commands, Tab, and what follows a cell."""
