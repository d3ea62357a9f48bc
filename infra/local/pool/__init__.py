"""The user pool: its users, codes, sessions and tokens, and the file that keeps the users."""
