"""documents: the bytes of a feed or a page, read. Pure."""
