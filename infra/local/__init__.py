"""Cognito on this machine: moto, with the answers mended where they differ from the real ones.

`python -m infra.local` runs it with the API; tests run `infra.local.server.LocalCognito`.
Nothing here ships in the Lambda image.
"""
