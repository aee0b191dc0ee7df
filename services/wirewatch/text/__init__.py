"""Texts made comparable: folding, words, stems. Pure; shared by query, entities and match."""
