"""Queries of other tools, translated into ours. Pure; used by api and the command line."""
