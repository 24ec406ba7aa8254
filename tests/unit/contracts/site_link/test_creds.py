import pytest

from contracts.errors import ConfigError
from contracts.site_link.creds import format_creds, jwt_claims, parse_creds
from contracts.site_link.nkey import Nkey, Role


def test_a_credentials_file_gives_back_what_went_in() -> None:
    key = Nkey.make(Role.USER)
    assert parse_creds(format_creds("a.b.c", key.seed)) == ("a.b.c", key.seed)


@pytest.mark.parametrize(
    "text", ["", "-----BEGIN NATS USER JWT-----\nx\n", format_creds("a.b.c", "not-a-seed")]
)
def test_half_a_credentials_file_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not a credentials file"):
        parse_creds(text)


@pytest.mark.parametrize("jwt", ["", "abc", "a.!!.c", "a.W10.c", "a.é.c"])
def test_what_is_no_jwt_is_refused(jwt: str) -> None:
    with pytest.raises(ConfigError, match="not a JWT"):
        jwt_claims(jwt)


@pytest.mark.parametrize(
    ("role", "letter"), [(Role.OPERATOR, "O"), (Role.ACCOUNT, "A"), (Role.USER, "U")]
)
def test_a_keys_public_form_begins_with_its_role(role: Role, letter: str) -> None:
    key = Nkey.make(role)
    assert key.public.startswith(letter)
    assert Nkey(key.seed).public == key.public
    assert key.seed not in repr(key)


def test_a_damaged_seed_is_refused() -> None:
    with pytest.raises(ConfigError, match="not an nkey seed"):
        Nkey("SUAB")
