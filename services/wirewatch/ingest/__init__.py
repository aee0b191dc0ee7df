"""ingest: feeds -> articles."""
