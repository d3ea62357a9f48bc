# The Lambda image. Both stages use the same base image, because the second one must run what the
# first one compiled and checked, and bytecode works on only one version of Python.
# https://docs.aws.amazon.com/lambda/latest/dg/python-image.html
FROM public.ecr.aws/lambda/python:3.13 AS builder
WORKDIR /build
COPY pyproject.toml requirements.txt ./
COPY infra/bundle/ infra/bundle/
COPY app/ app/
# The build fails if the bundle's handler can't be imported or refuses a valid token.
RUN python -m infra.bundle /bundle

FROM public.ecr.aws/lambda/python:3.13
COPY --from=builder /bundle ${LAMBDA_TASK_ROOT}
# Lambda runs the image as its own unprivileged user. This one is for running it anywhere else.
USER 65534:65534
CMD ["app.handler.handler"]
