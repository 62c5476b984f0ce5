"""What people are told outside of the page: webhooks, mails, a line in a team's chat.

Stores put notices into an outbox, in the transaction of what they tell of. ``sender`` takes
them out and gives each to its targets, again and again over a day, until they have taken it.

Read ``delivery`` first: what a target is. ``webhooks``, ``chat_text``, ``mails.owner_mail`` and
``mails.visitor_mail`` are the four, which ``targets`` makes and tries; ``facts`` is what they
know of a notice.
"""
