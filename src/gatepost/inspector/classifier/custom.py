"""Words and facts that tell of a collection or of the times rather than of a mail.

In: a feature. Out: whether it is one of them. The start model has none of them (`train`); what is learnt here may use
them. Standard: none. Not here: what is no feature at all (`tokens`).
"""

from __future__ import annotations

# Lists, people and tools that the public collections of 2002 are made of: they are good mail there and nowhere else.
_COLLECTION_TEXT = (
    "spamassassin spamd spamc satalk sadev razor vipul exmh fork rohit khare jmason mason justin xent beberg ilug iiu "
    "freshrpms rpm rpms zzzlist zzzz yyyy forteana forteanalist yahoogroups egroups yahoo sourceforge thinkgeek "
    "heaven mailman listinfo listmaster netnoteinc taint slashnull dogma jalapeno phobos lockergnome sf sfnet "
    "osdn procmail fetchmail redhat debian perl python linux kernel sponsored deathtospamdeathtospamdeathtospam "
    "craig hughes theo quinlan garrigues deersoft nmh tcl sitescooper newsisfree boingboing bbc oreilly cnet zdnet "
    "google gmail hotmail googleapis"
)
# What every mailing of a business says today, good or bad. The collection's good mail is older than that custom, so
# these words would be the mark of spam to it.
_CUSTOM_TEXT = (
    "unsubscribe subscribe subscribed subscription privacy policy copyright rights reserved preferences newsletter "
    "browser click here view email mail address receive received receiving because sent message account online app "
    "apps ai facebook twitter instagram linkedin youtube whatsapp iphone android smartphone zoom webinar blog "
    "streaming log login settings notifications regards kind dear sir madam hello hi thanks thank "
    "order orders ordered shipping shipped delivery invoice receipt payment"
)
LEFT_OUT = frozenset(_COLLECTION_TEXT.split()) | frozenset(_CUSTOM_TEXT.split())
# Facts that changed with the years for all mail: its formats, programs and links. What is learnt here may use them.
OF_THE_YEARS = frozenset({
    "t:hidden", "t:pictures", "t:pictures-only", "h:list-unsubscribe", "h:list-unsubscribe-post", "h:mime-version",
    "h:name-odd", "h:subject-pictures", "h:local-noreply", "h:x-mailer", "h:user-agent", "h:organization",
    "h:domain-deep", "l:host-deep", "l:query", "l:path-long", "l:bare",
    "f:shape.page-only", "f:shape.pictures-only", "f:shape.loud-page", "f:shape.needless-base64", "f:shape.toll-free",
    "f:shape.no-mime-version", "f:shape.no-recipient", "f:shape.no-charset", "f:advert.removal",
    "f:advert.excuse", "f:advert.urge", "f:advert.bargain", "f:advert.many",
})  # fmt: skip
OF_THE_YEARS_TOO = ("m:", "l:scheme-", "l:count-", "l:hosts-", "t:words-")


def is_custom(name: str) -> bool:
    """Whether the feature is a word or a fact of a collection or of the times."""
    if name in OF_THE_YEARS or name.startswith(OF_THE_YEARS_TOO):
        return True
    return not LEFT_OUT.isdisjoint(name.rpartition(":")[2].removeprefix("path-").split("_"))
