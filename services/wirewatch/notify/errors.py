"""What can be wrong in this room.

SecretError     a secret is not `whsec_` and the base64 of 24 to 64 bytes
"""


class SecretError(ValueError):
    """A secret that cannot sign. The message says what is wrong, never the secret."""
