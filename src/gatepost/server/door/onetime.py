"""Mail that cannot wait: one-time codes and links to sign in or to confirm.

In: a message. Out: yes or no, by its Subject and the beginning of its text, in English, German, French and Spanish.
Anybody can write so; all that is won by it is not to be greylisted. Standard: none.
Not here: what is made of the text otherwise (`inspector`).
"""

from __future__ import annotations

import re

from gatepost.message.charsets import decode_text
from gatepost.message.message import Message
from gatepost.message.transfer import decode_transfer
from gatepost.message.words import decode_words

_READ = 6000  # octets of a text part, encoded or not; a code stands at the top
_MAX_SUBJECT = 400  # characters
_WORDS = re.compile(
    r"one[- ]time|\botp\b|\b(?:verification|security|access|login|log-in|sign-in|confirmation|authentication) code"
    r"|\bcode (?:is|:)|passcode|\b2fa\b|two[- ]factor|verify your|confirm your|reset your password|password reset"
    r"|magic link|sign[- ]in link|\bpasswort zurück|einmal(?:code|kennwort|passwort)|\bTAN\b"
    r"|(?:bestätigungs|sicherheits|zugangs|anmelde|verifizierungs|prüf)-?code|ihr code|dein code"
    r"|code (?:de|à usage) (?:vérification|sécurité|confirmation|connexion|unique)|mot de passe à usage unique"
    r"|réinitialis\w+ .{0,20}mot de passe|code d'accès"
    r"|código de (?:verificación|seguridad|acceso|confirmación|un solo uso)|contraseña de un solo uso"
    r"|restablec\w+ .{0,20}contraseña|código (?:es|:)",
    re.IGNORECASE,
)


def cannot_wait(message: Message) -> bool:
    """Whether a person waits for this message at this moment."""
    if _WORDS.search(decode_words(message.header.text("subject")[:_MAX_SUBJECT])):
        return True
    return _WORDS.search(_beginning(message)) is not None


def _beginning(message: Message) -> str:
    """The start of the first text part, however it is encoded."""
    for part in message.tree.walk():
        if part.content_type.maintype == "text":
            octets = decode_transfer(part.body[:_READ], part.encoding).octets
            return decode_text(octets, part.content_type.get("charset"))[0]
    return ""
