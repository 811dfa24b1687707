"""Markdown of a model, as strict HTML: at once (`renderer`) and as it grows (`incremental`). Pure: no widgets, no network."""
