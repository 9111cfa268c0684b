"""A stand-in for Zoho CRM (API v8): same calls, same answers, same limits, on this machine."""
