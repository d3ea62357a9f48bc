"""The developer console: the mailbox, the users and the clock."""
