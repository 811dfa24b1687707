"""What scripts and cells call: `chat`, `stream`, `generate`, … and `Conversation`; the package is their door."""
