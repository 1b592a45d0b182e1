"""What is found and hidden, and what only looks like it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.curation.pii import find_private, mask

ALL = ("email", "phone", "secret")
SECRETS = {  # one of each kind, none of them real
    "AWS Access Key": "AKIA" + "Q3EXAMPLE7KEY4ZZ",
    "Azure Storage Account access key": "AccountKey=" + "lJzRc1YdHaAA2KCNJJ1tkYwF" * 3 + "lJzRc1YdHaAA2K==",
    "Basic Auth Credentials": "https://reader:hunter2and3@example.org/",
    "Discord Bot Token": "MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs",
    "GitHub Token": "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",
    "GitLab Token": "glpat-hellOworldZ1y2x3w4v5u",
    "JSON Web Token": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJuYW1lIjoiSmFuZSJ9.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV",
    "Mailchimp Access Key": "343ea45721923ed956e2b38c31db76aa-us30",
    "Private Key": "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA7bq\nx4ZK\n-----END RSA PRIVATE KEY-----",
    "SendGrid API Key": "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",
    "Slack Token": "xoxb-34532454-e039d02840a0b9379c",
    "Stripe Access Key": "sk_live_ReTllpYQYfIZu2Jnf2lAPFjD",
    "Telegram Bot Token": "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawo",
    "Twilio API Key": "SK" + "e2b38c31db76aa343ea45721923ed956",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_found_by_its_kind_and_hidden_whole(kind: str) -> None:
    line = SECRETS[kind] if kind == "Telegram Bot Token" else f"Use {SECRETS[kind]} for it."
    text = f"Before.\n{line}\nAfter."
    found = find_private(text, ALL)
    assert f"secret {kind}" in {name for name, _, _ in found}
    hidden = mask(text, found)
    assert len(hidden) == len(text)
    assert hidden.startswith("Before.\n")
    assert hidden.endswith("\nAfter.")
    assert not find_private(hidden, ALL)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("jane.doe+notes@mail.example.org", "email"),
        ("+44 20 7946 0018", "phone"),
        ("+41 (0)41 619 67 73", "phone"),
        ("(202) 555-0143", "phone"),
        ("1-202-555-0143", "phone"),
    ],
)
def test_addresses_and_numbers_are_found_whole(text: str, kind: str) -> None:
    assert find_private(f"Ask {text}, please.", ALL) == [(kind, 4, 4 + len(text))]


@pytest.mark.parametrize(
    "text",
    [
        "| Revenue | 1,234,567 | (2,345) | 12-31-2019 |",
        "In 2017-2018 output rose by +3.1 to 555 per cent; see 10.1000/182 and ISBN 978-3-16-148410-0.",
        "The angle is 3.14159 26535 89793, and the page 12 @ 3.",
        "Section 13(a)(1) of 17 CFR 240.13a-15 applies to 001-36743.",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8 of 2005",
        "An arrow +1 then 2 then 3, and a vote of 12-3.",
    ],
)
def test_figures_of_prose_and_tables_are_left_alone(text: str) -> None:
    assert find_private(text, ALL) == []


@settings(max_examples=100, deadline=None)
@given(st.text("ab@.\n1-+() X", max_size=60), st.sampled_from([*SECRETS.values(), "a@b.example", ""]))
def test_a_mask_moves_nothing_and_leaves_the_rest(text: str, secret: str) -> None:
    whole = f"{text} {secret}"
    found = find_private(whole, ALL)
    hidden = mask(whole, found)
    assert len(hidden) == len(whole)
    inside = {place for _, start, end in found for place in range(start, end)}
    assert all(hidden[i] == (whole[i] if i not in inside or whole[i] == "\n" else "X") for i in range(len(whole)))
