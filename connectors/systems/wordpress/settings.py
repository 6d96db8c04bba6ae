"""The settings of a WordPress site: where it is, and how its posts say language and country."""

from __future__ import annotations

import re
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from connectors.kit.http import HttpSettings

#: A BCP 47 tag, loosely: what a slug may hold after its prefix.
TAG = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*", re.IGNORECASE)
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How posts say something: by a term of `taxonomy` (its REST name) whose slug is `prefix` and a
    code: `lang-es`, `pais-co`."""

    prefix: str
    taxonomy: str = "categories"

    def __post_init__(self) -> None:
        if not self.prefix or not self.taxonomy:
            raise ValueError("`prefix` and `taxonomy` may not be empty")


class WordPressSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of portal.toml with `connector = "wordpress"`.

    url: of the site, as its visitors type it. routes: "pretty" asks /wp-json/, "query" asks
    /?rest_route=, for sites without permalinks. collection: REST name of the post type.
    user, application_password: only for sites whose REST API is closed to strangers.
    language, country: how posts say them; left out, they do not. locale: of posts that say none.
    tags: REST name of the taxonomy that the tags of an article come from.
    terms_kept: seconds for which ids of terms are kept.
    """

    url: str
    routes: Literal["pretty", "query"] = "pretty"
    collection: str = "posts"
    user: str | None = None
    application_password: str | None = None
    locale: str = "und"
    language: Told | None = None
    country: Told | None = None
    tags: str = "tags"
    terms_kept: float = 600.0
    http: HttpSettings = HttpSettings()

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
            raise ValueError("`url` must be the http or https address of the site")
        if parts.username or parts.password:
            raise ValueError("`url` may not hold a password: use `application_password`")
        if (self.user is None) != (self.application_password is None):
            raise ValueError("`user` and `application_password` go together")
        if self.user and parts.scheme == "http" and parts.hostname not in _LOOPBACK:
            raise ValueError("an application password may travel by https only")
        if not TAG.fullmatch(self.locale):
            raise ValueError("`locale` must be a BCP 47 tag, such as es or pt-BR")
        if self.language is None and self.locale == "und":
            raise ValueError("say the language of the posts: by `locale` or by `language`")

    def __repr__(self) -> str:
        # The generated one would show the password.
        return f"WordPressSettings({self.url!r}, ...)"

    __str__ = __repr__
