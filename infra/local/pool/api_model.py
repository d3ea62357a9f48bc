"""Cognito's API as botocore describes it: operations, their parameters and their errors."""

from functools import cache

from botocore.model import ServiceModel, StructureShape
from botocore.session import Session


@cache
def service_model(service: str = "cognito-idp") -> ServiceModel:
    """Return botocore's model of a service's API, which needs no configuration or network."""
    return Session().get_service_model(service)


def has_operation(operation: str) -> bool:
    """Return whether the API has an operation of that name."""
    return operation in service_model().operation_names


def input_shape(operation: str) -> StructureShape | None:
    """Return the shape of an operation's parameters; None if it takes none."""
    return service_model().operation_model(operation).input_shape


def has_parameter(operation: str, parameter: str) -> bool:
    """Return whether an operation has a parameter of that name."""
    shape = input_shape(operation)
    return shape is not None and parameter in shape.members


def declares_error(operation: str, error: str) -> bool:
    """Return whether an operation lists an error, named without its suffix "Exception"."""
    shapes = service_model().operation_model(operation).error_shapes
    return f"{error}Exception" in {shape.name for shape in shapes}
