"""The accounts service: everything that ships in the Lambda image, and nothing else."""
