import base64

import pytest
from pydantic import ValidationError

from connectors.fxiaoke.config import FxiaokeConfig
from connectors.sdk.config import form_fields, secret_names

NEEDED = {"app_id": "FSAID_1", "app_secret": "s", "permanent_code": "p"}


def config(**changes):
    return FxiaokeConfig(**{**NEEDED, "user_id": "1000", **changes})


def test_defaults_fit_the_chinese_cloud():
    made = config()
    assert made.base_url == "https://open.fxiaoke.com"
    assert made.convention == "header"
    assert made.hub_key_field == "kehub_key__c"
    assert (made.trigger_workflow, made.trigger_approval) == (False, False)
    assert config(base_url="https://open.fxiaoke.com/").base_url == "https://open.fxiaoke.com"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"user_id": ""}, "acting employee's number"),
        ({"convention": "body", "user_id": ""}, "FSUID_"),
        ({"base_url": "open.fxiaoke.com"}, "pattern"),
        ({"base_url": "https://open.fxiaoke.com/cgi"}, "pattern"),
        ({"page_size": 101}, "100"),
        ({"hub_key_field": "kehub_key"}, "pattern"),
        ({"callback_secret": "no base64!"}, "not Base64"),
        ({"callback_secret": base64.b64encode(b"short").decode()}, "32 bytes"),
        ({"app_id": ""}, "at least 1"),
    ],
)
def test_what_cannot_work_is_refused_with_a_reason(changes, words):
    with pytest.raises(ValidationError, match=words):
        config(**changes)


def test_an_empty_callback_secret_is_none():
    assert config(callback_secret="").callback_secret is None


def test_the_form_hides_secrets_and_speaks_chinese():
    assert secret_names(FxiaokeConfig) == {"app_secret", "permanent_code", "callback_secret"}
    fields = {field.name: field for field in form_fields(FxiaokeConfig, "zh-CN")}
    assert fields["convention"].choices == ("header", "body")
    assert fields["base_url"].title == "接口地址"
    assert fields["app_secret"].widget == "password"
