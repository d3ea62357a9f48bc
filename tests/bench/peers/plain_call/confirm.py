"""A separate function for POST /auth/confirm that makes a client at every call."""

import json
import os

import boto3


def handler(event: dict, context: object) -> dict:
    """Confirm an account."""
    body = json.loads(event["body"])
    cognito = boto3.client("cognito-idp")
    try:
        cognito.confirm_sign_up(
            ClientId=os.environ["COGNITO_CLIENT_ID"],
            Username=body["email"],
            ConfirmationCode=body["code"],
        )
    except cognito.exceptions.CodeMismatchException:
        return respond(400, message="Invalid verification code.")
    return respond(200)


def respond(status: int, **fields: object) -> dict:
    """Return an answer for API Gateway."""
    body = json.dumps({"statusCode": status, **fields})
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": body}
