"""What scripts and cells call: `chat`, `stream`, `generate`, `embed`, `list`, `show`, `ps`, `pull`, `Conversation`."""
