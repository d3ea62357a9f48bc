"""Chalice, which doesn't validate requests by itself."""

import os
from collections.abc import Callable

import boto3
from chalice import BadRequestError, Chalice

app = Chalice(app_name="auth")
cognito = boto3.client("cognito-idp")
CLIENT_ID = os.environ["COGNITO_CLIENT_ID"]


@app.route("/auth/sign-up", methods=["POST"])
def sign_up() -> dict:
    """Create an account."""
    body = app.current_request.json_body
    return call(
        cognito.sign_up,
        Username=body["email"],
        Password=body["password"],
        UserAttributes=[{"Name": "email", "Value": body["email"]}],
    )


@app.route("/auth/confirm", methods=["POST"])
def confirm() -> dict:
    """Confirm an account."""
    body = app.current_request.json_body
    return call(cognito.confirm_sign_up, Username=body["email"], ConfirmationCode=body["code"])


@app.route("/auth/sign-in", methods=["POST"])
def sign_in() -> dict:
    """Return tokens."""
    body = app.current_request.json_body
    return call(
        cognito.initiate_auth,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": body["email"], "PASSWORD": body["password"]},
    )


def call(operation: Callable[..., dict], **arguments: object) -> dict:
    """Call Cognito and return its answer."""
    try:
        answer = operation(ClientId=CLIENT_ID, **arguments)
    except cognito.exceptions.ClientError as error:
        raise BadRequestError(str(error)) from None
    return {"statusCode": 200, "body": answer.get("AuthenticationResult")}
