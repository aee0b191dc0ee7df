"""Makes the catalogue of entities and themes that ships with the program: see README.md."""
