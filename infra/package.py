"""Make a zip for Lambda, and a template for it: `make package`, instead of `sam build`.

Both are put where `sam build` puts its result, so `sam deploy` takes them as it is typed. With an
option that names a template elsewhere, it would not read samconfig.toml.
https://github.com/aws/aws-sam-cli/issues/3629
"""

import argparse
import sys
from functools import partial

from infra.bundle.install import TAGS
from infra.bundle.make import ROOT, make_bundle
from infra.bundle.pack import write_zip

TEMPLATE = ROOT / "infra/template.yaml"
BUILT = ROOT / ".aws-sam/build"
"""Where `sam deploy` looks for a template, unless an option names another."""
ZIP = "bundle.zip"
RUNTIME = "python3.13"
"""The same version as in the Dockerfile. The zip's bytecode works on no other."""

_IMAGE = """\
    Metadata:
      Dockerfile: Dockerfile
      DockerContext: ..
      DockerTag: latest
    Properties:
      PackageType: Image
"""
_AS_ZIP = f"""\
    Properties:
      PackageType: Zip
      Runtime: {RUNTIME}
      Handler: app.handler.handler
      CodeUri: {ZIP}
"""
_ANY_PROCESSOR = """\
    Default: arm64
    AllowedValues: [arm64, x86_64]
"""
# Lambda's own Python runtimes have SnapStart; only for images AWS's pages disagree.
# https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
_WITHOUT_SNAPSHOT = """\
; AWS may not support that for images in your region
    Type: String
    Default: 'false'
"""
_WITH_SNAPSHOT = """\

    Type: String
    Default: 'true'
"""


def zip_template(template: str, arch: str) -> str:
    """Return the text of infra/template.yaml for a zip that was made for a processor.

    It allows no other processor, because a zip has files for one only. Raises SystemExit if the
    template doesn't have the lines to change.
    """
    changes = {
        _IMAGE: _AS_ZIP,
        _ANY_PROCESSOR: f"    Default: {arch}\n    AllowedValues: [{arch}]\n",
        _WITHOUT_SNAPSHOT: _WITH_SNAPSHOT,
    }
    for old, new in changes.items():
        if template.count(old) != 1:
            raise SystemExit(f"For the zip, infra/template.yaml must have these lines once:\n{old}")
        template = template.replace(old, new)
    return template


def check_python(version: tuple[int, int]) -> None:
    """Raise SystemExit if this Python can't compile the bytecode that Lambda's Python runs."""
    running, needed = "python{}.{}".format(*version), RUNTIME
    if running != needed:
        raise SystemExit(
            f"The function runs on {needed}, and this is {running}, whose bytecode it can't read. "
            f"Use: make package PYTHON={needed} VENV=.venv-{needed.removeprefix('python')}"
        )


def main() -> None:
    """Parse the command line, and write the zip and its template."""
    parser = argparse.ArgumentParser(
        prog="make package",
        description="Make a zip for Lambda and a template for it, which `sam deploy` takes.",
    )
    parser.add_argument("--arch", choices=sorted(TAGS), default="arm64", help="the processor")
    arch: str = parser.parse_args().arch
    say = partial(print, flush=True)
    check_python(sys.version_info[:2])
    template = zip_template(TEMPLATE.read_text("utf-8"), arch)
    folder = ROOT / "dist/bundle"
    make_bundle(folder, arch, say)
    write_zip(folder, BUILT / ZIP)
    (BUILT / "template.yaml").write_text(template, "utf-8")
    say(f"Made {ZIP} for {arch} and its template, in .aws-sam/build. Next: sam deploy --guided")


if __name__ == "__main__":
    main()
