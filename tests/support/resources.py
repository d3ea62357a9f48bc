"""A template with a table and a bucket, and boto3 clients of the local services."""

from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

from infra.local.pool.template import TEMPLATE

TABLE = """
  PagesTable:
    Type: AWS::DynamoDB::Table
    DeletionPolicy: Retain
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions:
        - {AttributeName: owner, AttributeType: S}
        - {AttributeName: id, AttributeType: S}
      KeySchema:
        - {AttributeName: owner, KeyType: HASH}
        - {AttributeName: id, KeyType: RANGE}
      PointInTimeRecoverySpecification:
        PointInTimeRecoveryEnabled: true
"""
BUCKET = """
  PagesBucket:
    Type: AWS::S3::Bucket
    Properties:
      PublicAccessBlockConfiguration: {BlockPublicAcls: true}
      CorsConfiguration:
        CorsRules:
          - AllowedMethods: [GET, POST]
            AllowedOrigins: !Ref AllowedOrigins
            AllowedHeaders: ['*']
            ExposedHeaders: [ETag]
"""
VARIABLES = """
          PAGES_TABLE: !Ref PagesTable
          PAGES_BUCKET: !Ref PagesBucket
          PAGES_ARN: !GetAtt PagesTable.Arn
          PAGES_URL: !Sub 'https://${PagesBucket}.s3.amazonaws.com'
"""


def template_with(
    folder: Path, resources: str = TABLE + BUCKET, variables: str = VARIABLES
) -> Path:
    """Write infra/template.yaml with more resources and variables of the function."""
    text = TEMPLATE.read_text()
    for section, more in (("\nResources:\n", resources), ("\n        Variables:\n", variables)):
        assert text.count(section) == 1
        text = text.replace(section, section + more.removeprefix("\n"))
    file = folder / "template.yaml"
    file.write_text(text)
    return file


def client(service: str, url: str, region: str = "eu-west-1") -> Any:
    """Return a client with made-up credentials, which doesn't retry."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=url,
        region_name=region,
        aws_access_key_id="any",
        aws_secret_access_key="any",
        config=Config(
            retries={"total_max_attempts": 1},
            proxies={},
            signature_version="s3v4" if service == "s3" else None,
        ),
    )
