"""A separate function for POST /auth/sign-in that makes its client once."""

import json
import os

import boto3

cognito = boto3.client("cognito-idp")


def handler(event: dict, context: object) -> dict:
    """Return tokens."""
    body = json.loads(event["body"])
    try:
        answer = cognito.initiate_auth(
            ClientId=os.environ["COGNITO_CLIENT_ID"],
            AuthFlow="USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": body["email"], "PASSWORD": body["password"]},
        )
    except cognito.exceptions.NotAuthorizedException:
        return respond(400, message="Incorrect username or password.")
    return respond(200, body=answer["AuthenticationResult"])


def respond(status: int, **fields: object) -> dict:
    """Return an answer for API Gateway."""
    body = json.dumps({"statusCode": status, **fields})
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": body}
