"""What regulars.toml may say of the rules of contact, and what it is told when it cannot be."""

import pytest

from regulars.errors import InputError
from regulars.serve.settings_file import settings_text, toml_value
from regulars.settings import Cap, Policy, Quiet, QuotaSettings, read_settings


def read(folder, text):
    (folder / "regulars.toml").write_text(text, "utf-8")
    return read_settings(folder).policy


def test_caps_hours_and_quotas_are_lists_of_tables(tmp_path):
    policy = read(
        tmp_path,
        """
        [policy]
        cap_contacts = 3
        [[policy.caps]]
        scope = "channel:sms"
        window = "calendar_day"
        when_full = "hold"
        [[policy.caps]]
        scope = "topic:news"
        days = 7
        [[policy.quiet]]
        scope = "class:transactional"
        quiet_from = 0
        quiet_to = 6
        [[policy.quotas]]
        name = "wecom_month"
        contacts = 2
        """,
    )

    assert policy == Policy(
        cap_contacts=3,
        caps=(
            Cap("channel:sms", window="calendar_day", when_full="hold"),
            Cap("topic:news", days=7),
        ),
        quiet=(Quiet("class:transactional", 0, 6),),
        quotas=(QuotaSettings("wecom_month", contacts=2),),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[policy]\ncaps = 3", "caps is 3, must be a list"),
        ("[[policy.caps]]\nper = 3", "caps 1: unknown setting 'per'"),
        ('[[policy.caps]]\n[[policy.caps]]\nwindow = "weekly"', "caps 2: window is 'weekly'"),
        ('[[policy.caps]]\nwhen_full = "wait"', "must be one of drop, hold"),
        ('[[policy.caps]]\nscope = "class:transactional"', "caps 1: scope"),
        ('[[policy.caps]]\nscope = "channel:"', "caps 1: scope"),
        ("[[policy.caps]]\ncontacts = -1", "caps 1: contacts is -1"),
        ('[[policy.quiet]]\nscope = "all"', "quiet 1: scope is 'all'"),
        ('[[policy.quiet]]\nscope = "channel:sms"\nquiet_to = 24', "quiet_to is 24"),
        ('[policy]\nunknown_age = "old"', "must be one of adult, minor, child"),
        ("[policy]\nchild_age = 19", "child_age is 19, must be from 0 to 18"),
        ('[policy]\ncap_when_full = "maybe"', "cap_when_full"),
    ],
)
def test_what_cannot_be_is_refused_with_its_place(tmp_path, text, says):
    with pytest.raises(InputError, match=says):
        read(tmp_path, text)


def test_a_new_workspace_is_told_of_every_setting_and_reads_what_it_was_told(tmp_path):
    text = settings_text({})

    assert "# caps = []" in text
    uncommented = "\n".join(
        line.removeprefix("# ") if line.startswith("# caps") else line for line in text.split("\n")
    )
    assert read(tmp_path, uncommented) == Policy()


def test_a_list_is_written_as_it_is_read():
    assert toml_value((Cap("all", 2),)) == (
        '[{scope = "all", contacts = 2, days = 1, window = "rolling", when_full = "drop", name = ""}]'
    )
