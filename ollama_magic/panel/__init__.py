"""The chat panel: widgets for the notebook's conversation."""
