"""A model's Markdown as strict HTML: at once (`renderer`), and as it grows (`incremental`). Pure."""
