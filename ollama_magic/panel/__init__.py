"""The chat panel: a box of widgets in which the notebook's conversation goes on."""
