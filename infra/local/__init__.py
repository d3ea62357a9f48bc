"""A local Amazon Cognito: moto, with Cognito's own answers where moto's differ.

`python -m infra.local` runs it with the API; tests run `infra.local.server.LocalCognito`.
Nothing here ships in the Lambda image.
"""
