"""web: asking a publisher for a document, politely and safely."""
