"""Tab: where the cursor stands in our magics, and what may stand there."""
