"""Functions as tools: what a model is sent about them, and one call of one. It knows no turn and no server."""
