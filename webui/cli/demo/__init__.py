"""The whole product on one machine: a real ERP, two CRM stand-ins, and the hub between them."""
