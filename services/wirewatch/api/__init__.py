"""The door for people and programs: REST under /v1, a status page at /."""
