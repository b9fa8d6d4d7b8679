"""Nothing that is logged or reported shows a phone number or an e-mail address."""

import io
import logging
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from regulars.govern.protection.redaction import covered, mask_logs, redacted

PHONE, EMAIL = "13912345678", "ann.lee@example.com"


@pytest.fixture
def logged():
    """Give a logger and a function that tells what it wrote."""
    before, hook = logging.getLogRecordFactory(), sys.excepthook
    mask_logs()
    logger, written = logging.getLogger("test.redaction"), io.StringIO()
    handler = logging.StreamHandler(written)
    logger.addHandler(handler)
    logger.propagate = False
    yield logger, written.getvalue
    logger.removeHandler(handler)
    logging.setLogRecordFactory(before)
    sys.excepthook = hook


def test_a_log_line_is_masked_in_text_arguments_and_traceback(logged):
    logger, written = logged

    logger.warning("refused %s of %d: %s", PHONE, 1767225600000, ValueError(EMAIL))
    logger.warning("from %(who)s", {"who": EMAIL})
    try:
        raise ValueError(f"bad row {PHONE},{EMAIL}")
    except ValueError:
        logger.exception("failed")

    assert PHONE not in written()
    assert "ann.lee" not in written()
    assert "refused 139****5678 of 1767225600000: a***@example.com" in written()
    assert "ValueError: bad row 139****5678,a***@example.com" in written()


def test_masking_logs_twice_masks_once(logged):
    factory = logging.getLogRecordFactory()

    mask_logs()

    assert logging.getLogRecordFactory() is factory


def test_a_process_that_breaks_down_says_so_masked():
    code = "from regulars.govern.protection.redaction import mask_logs\nmask_logs()\n"
    code += f"def fail(row):\n    raise ValueError(row)\nfail('{EMAIL}'[::1])"

    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )

    assert ended.returncode == 1
    assert "ValueError: a***@example.com" in ended.stderr


@pytest.mark.parametrize(
    "text",
    [
        "order 20260302123456",
        "1767225600000 us",
        "tok_phone_" + "1" * 32,
        "price 13912345678.50",
        "p01-13912345678-x",
        "@segment/analytics-node 3.1.0",
    ],
)
def test_what_only_looks_a_little_like_a_number_stays(text):
    assert redacted(text) == text


@given(
    number=st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True).filter(str.isascii),
    form=st.sampled_from(["{}", "+86{}", "tel:{}", '"{}"', "{},", "phone={}&x=1", "手机{}号"]),
)
def test_a_mobile_number_is_masked_in_any_company(number, form):
    assert number not in redacted(form.format(number))


def test_a_cell_is_masked_by_the_name_of_its_column():
    assert covered("收货地址", "南京路1号") == "****"
    assert covered("customer_id", "u1") == "u1"
    assert covered(None, None) is None
