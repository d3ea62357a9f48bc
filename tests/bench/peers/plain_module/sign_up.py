"""A separate function for POST /auth/sign-up that makes its client once."""

import json
import os

import boto3

cognito = boto3.client("cognito-idp")


def handler(event: dict, context: object) -> dict:
    """Create an account."""
    body = json.loads(event["body"])
    try:
        cognito.sign_up(
            ClientId=os.environ["COGNITO_CLIENT_ID"],
            Username=body["email"],
            Password=body["password"],
            UserAttributes=[{"Name": "email", "Value": body["email"]}],
        )
    except cognito.exceptions.UsernameExistsException:
        return respond(409, message="An account with the given email already exists.")
    return respond(200)


def respond(status: int, **fields: object) -> dict:
    """Return an answer for API Gateway."""
    body = json.dumps({"statusCode": status, **fields})
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": body}
