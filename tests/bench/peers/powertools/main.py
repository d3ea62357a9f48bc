"""Powertools for AWS Lambda: its resolver with validation."""

import os

import boto3
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from pydantic import BaseModel, Field

app = APIGatewayRestResolver(enable_validation=True)
cognito = boto3.client("cognito-idp")
CLIENT_ID = os.environ["COGNITO_CLIENT_ID"]


class Credentials(BaseModel):
    """The body of sign-up and sign-in."""

    email: str = Field(max_length=128)
    password: str = Field(min_length=1, max_length=256)


class Confirm(BaseModel):
    """The body of confirm, with the e-mailed code."""

    email: str = Field(max_length=128)
    code: str = Field(min_length=1, max_length=2048)


@app.post("/auth/sign-up")
def sign_up(body: Credentials) -> dict:
    """Create an account."""
    cognito.sign_up(
        ClientId=CLIENT_ID,
        Username=body.email,
        Password=body.password,
        UserAttributes=[{"Name": "email", "Value": body.email}],
    )
    return {"statusCode": 200}


@app.post("/auth/confirm")
def confirm(body: Confirm) -> dict:
    """Confirm an account."""
    cognito.confirm_sign_up(ClientId=CLIENT_ID, Username=body.email, ConfirmationCode=body.code)
    return {"statusCode": 200}


@app.post("/auth/sign-in")
def sign_in(body: Credentials) -> dict:
    """Return tokens."""
    answer = cognito.initiate_auth(
        ClientId=CLIENT_ID,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": body.email, "PASSWORD": body.password},
    )
    return {"statusCode": 200, "body": answer["AuthenticationResult"]}


@app.exception_handler(cognito.exceptions.ClientError)
def failed(error: Exception) -> Response:
    """Return Cognito's error message."""
    return Response(400, "application/json", {"statusCode": 400, "message": str(error)})


def handler(event: dict, context: object) -> dict:
    """Answer API Gateway."""
    return app.resolve(event, context)
