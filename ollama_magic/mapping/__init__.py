"""Many prompts from one template: rows in, a frame out, each answer saved as soon as it is there."""
