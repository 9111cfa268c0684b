"""Refusals in the two shapes that the vendor uses: for a whole call and for one record."""

TEXT_BAD_ID = "the id given seems to be invalid"
TEXT_BAD_RELATED_ID = "the related id given seems to be invalid"


class ApiError(Exception):
    """The whole call is refused: a flat error object, optionally under a root key."""

    def __init__(self, status, code, message, details=None, *, root=None, headers=None):
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = details or {}
        self.root = root
        self.headers = headers or {}
        self.html = False

    def body(self):
        flat = failure(self.code, self.message, self.details)
        return {self.root: [flat]} if self.root else flat


class ItemError(Exception):
    """One record of a batch is refused; its neighbours go on."""

    def __init__(self, code, message, details=None, *, status=400):
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.details = details or {}
        self.status = status

    def item(self):
        return failure(self.code, self.message, self.details)


def failure(code, message, details):
    return {"code": code, "details": details, "message": message, "status": "error"}


def success(message, details, **extra):
    return {"code": "SUCCESS", **extra, "details": details, "message": message, "status": "success"}


def invalid_data(api_name, path, **details):
    return ItemError(
        "INVALID_DATA", "invalid data", {**details, "api_name": api_name, "json_path": path}
    )


def missing_param(name):
    return ApiError(
        400,
        "REQUIRED_PARAM_MISSING",
        "One of the expected parameter is missing",
        {"param": name, "param_name": name},
    )


def unknown_module(index=0):
    return ApiError(
        400,
        "INVALID_MODULE",
        "The module name given seems to be invalid",
        {"resource_path_index": index},
    )
