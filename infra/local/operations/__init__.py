"""Cognito's operations, one module per topic, and what they share."""
