"""The query language: read, print, and explain. Pure; used by api, match and the command line."""
