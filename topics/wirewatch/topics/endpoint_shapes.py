"""Shapes of what an endpoint's fields hold: who stores one and who sends to it look the same."""

import re

_WORD = r"[\w.+-]{1,64}"
MEDIA_TYPE = re.compile(rf'{_WORD}/{_WORD}( ?; ?{_WORD}=("{_WORD}"|{_WORD})){{0,4}}', re.ASCII)
"""A content type (RFC 9110, 8.3.1), of the characters that are really used."""
TELEGRAM_CHAT = re.compile(r"-?[0-9]{1,20}|@[A-Za-z0-9_]{3,60}")
"""The number of a chat (groups are negative), or a channel's public name."""
TELEGRAM_TOKEN = re.compile(r"[0-9]{3,20}:[A-Za-z0-9_-]{20,100}")
"""A bot's; Telegram does not say how long it may be."""
