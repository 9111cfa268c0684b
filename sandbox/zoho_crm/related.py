"""Related lists: which records point at a record, under the vendor's names."""

from sandbox.zoho_crm.errors import ApiError


def related_lists(metadata, module):
    """(api_name, target module, lookup field) of each related list of a module."""
    lists = []
    for field in metadata.lookups_to(module.name):
        if field.module == module.name:
            name = "Child_Accounts" if module.name == "Accounts" else f"Child_{module.name}"
        else:
            name = field.module
        if name not in {known for known, _, _ in lists}:
            lists.append((name, metadata.modules[field.module], field))
    return lists


def related_field(metadata, module, relation):
    """The target module and its lookup; `SalesOrders` and `Sales_Orders` mean the same."""
    wanted = relation.replace("_", "").lower()
    for name, target, field in related_lists(metadata, module):
        if name.replace("_", "").lower() == wanted:
            return target, field
    message = "the relation name given seems to be invalid"
    raise ApiError(400, "INVALID_DATA", message, {"resource_path_index": 2})
