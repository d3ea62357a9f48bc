"""The stub Cognito's address and certificate for the functions."""

import ipaddress
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).parents[2]
AUTHORITY = "authority.pem"


@contextmanager
def stub_cognito(folder: Path) -> Iterator[dict[str, str]]:
    """Start the stub and yield the environment that directs a function's calls to it."""
    certificate = make_certificate(folder)
    command = [sys.executable, "-m", "tests.bench.stub", certificate]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            port = int(process.stdout.readline())
            yield {
                "AWS_ENDPOINT_URL_COGNITO_IDENTITY_PROVIDER": f"https://127.0.0.1:{port}",
                "AWS_REGION": "eu-west-1",
                "AWS_DEFAULT_REGION": "eu-west-1",
                "COGNITO_CLIENT_ID": "client",
                "COGNITO_USER_POOL_ID": "eu-west-1_pool",
                # On Lambda, these are the credentials of the function's role.
                "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
                "AWS_SECRET_ACCESS_KEY": "example",
                "AWS_SESSION_TOKEN": "example",
                "AWS_EC2_METADATA_DISABLED": "true",
            }
        finally:
            process.terminate()


def make_certificate(folder: Path) -> Path:
    """Make a self-signed certificate for 127.0.0.1, in one file with its key.

    The file AUTHORITY contains it without the key, for clients that must trust it.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stub Cognito")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / AUTHORITY).write_bytes(public)
    file = folder / "stub.pem"
    file.write_bytes(
        public
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file
