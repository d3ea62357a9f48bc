# The Lambda image. Both stages stand on the same base, so that what is compiled and imported in the
# first one runs in the second: the bytecode is this Python's alone.
# https://docs.aws.amazon.com/lambda/latest/dg/python-image.html
FROM public.ecr.aws/lambda/python:3.13 AS builder
WORKDIR /build
COPY requirements.txt ./
COPY infra/bundle/ infra/bundle/
COPY app/ app/
# Ends the build if the handler can't be imported from what was made, or a valid token is refused.
RUN python -m infra.bundle /bundle

FROM public.ecr.aws/lambda/python:3.13
COPY --from=builder /bundle ${LAMBDA_TASK_ROOT}
# Lambda has its own unprivileged user; this one is for wherever else the image is run.
USER 65534:65534
CMD ["app.handler.handler"]
