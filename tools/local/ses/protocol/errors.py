"""Errors as SES answers them."""

from __future__ import annotations

from . import models

# v1 codes that the model does not declare, with their HTTP status.
# https://docs.aws.amazon.com/ses/latest/APIReference/CommonErrors.html
UNDECLARED_STATUS = {
    "AccessDenied": 403,
    "AccessDeniedException": 403,
    "InternalFailure": 500,
    "TooManyRequestsException": 429,
}


class ServiceError(Exception):
    """An error answer: `code` as the model names the exception, or one of the common errors."""

    def __init__(self, code: str, message: str, status: int | None = None, **members: str):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.status, self.members = code, message, status, members

    def wire_code(self, service: str) -> str:
        """The code on the wire: v1 leaves out the `Exception` of some names."""
        shape = self._shape(service)
        return shape.metadata["error"].get("code", self.code) if shape else self.code

    def http_status(self, service: str) -> int:
        if self.status:
            return self.status
        shape = self._shape(service)
        return shape.metadata["error"]["httpStatusCode"] if shape else UNDECLARED_STATUS.get(self.code, 400)

    def _shape(self, service: str):
        model = models.service(service)
        if self.code not in model.shape_names:
            return None
        shape = model.shape_for(self.code)
        return shape if "error" in shape.metadata else None


class NotModelled(ServiceError):
    """The local SES does not know an operation or one of its options."""

    def __init__(self, what: str):
        super().__init__("LocalSesNotModelled", f"local SES does not model {what}", status=501)


def invalid_parameter(service: str, message: str) -> ServiceError:
    """An unusable value: InvalidParameterValue in v1, BadRequestException in v2."""
    return ServiceError("InvalidParameterValue" if service == models.V1 else "BadRequestException", message)


def not_found(message: str) -> ServiceError:
    return ServiceError("NotFoundException", message)


def throttled(service: str, message: str = "Rate exceeded") -> ServiceError:
    """Throttling: 400 in v1, 429 in v2."""
    return ServiceError("Throttling" if service == models.V1 else "TooManyRequestsException", message)
