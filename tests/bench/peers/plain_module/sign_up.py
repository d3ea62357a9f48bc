"""A function of its own for POST /auth/sign-up, with a client made once."""

import json
import os

import boto3

cognito = boto3.client("cognito-idp")


def handler(event: dict, context: object) -> dict:
    """Make an account."""
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


def respond(status: int, **members: object) -> dict:
    """An answer for API Gateway."""
    body = json.dumps({"statusCode": status, **members})
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": body}
