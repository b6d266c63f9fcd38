"""The mail room: what people do with mail that waits or is held, for the command line and for the web page.

In: the gate's settings, who asks, ids. Out: messages to look at, changes that are noted in the journal.
Not here: printing (`cli`), the spool and the journal themselves (`store`), the decision to hold (`inspector.policy`).

    with MailRoom.open(settings, who, now) as room:                     # room
        for spooled in room.search((State.QUARANTINED,)): …
        view = view_message(spooled, room.body(id), room.entry(id), opened)   # view
        room.perform(RELEASE, id, now)                                  # operations
"""
