"""What fraudsters write, in four languages: phrases as data, and how a text is compared with them.

In: texts that a person sees. Out: for each topic the phrases that were found. A topic needs one phrase of each of its
groups (what it is about, and what the reader is to do), since each alone stands in honest mail too.
Files: `topics` (the topics and the matching), `wallets`; `data/` has the phrases, a file a language.
Not here: what is made of it (`rules.wording`).
"""

from gatepost.inspector.wording.topics import Folded, Topic, find_topic, fold

__all__ = ["Folded", "Topic", "find_topic", "fold"]
