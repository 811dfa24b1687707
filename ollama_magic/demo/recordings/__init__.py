"""Answers without a language model: recordings of real models, files that are replayed, and showcase texts."""
