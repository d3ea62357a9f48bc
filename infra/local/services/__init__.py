"""DynamoDB and S3 on this machine: moto's, kept in the store, with the template's resources."""
