"""Things and themes: the catalogue of their names, and finding those in a text. Pure."""
