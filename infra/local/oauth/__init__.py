"""The user pool's domain: OAuth 2.0 sign-in with Google, and a fake Google."""
