"""Tab completion in our magics."""
