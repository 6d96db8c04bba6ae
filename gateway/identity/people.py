"""Who has a password here: found by address, made, and given a new password."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.database.engine import Database
from gateway.identity.tables import PersonRow


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who set a password. email: as `addresses.plain` gives it. language: of mails."""

    id: str
    email: str
    language: str
    password_set_at: datetime
    password_hash: str = field(repr=False)


class People:
    """The table of people."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_email(self, email: str | None) -> Person | None:
        """email: in plain form, or None, which is nobody's and asks as much of the database."""
        async with self._database.read() as connection:
            return await find(connection, email or "")

    async def rehash(self, person: Person, password_hash: str) -> None:
        """The same password at another cost, unless it was changed meanwhile."""
        same = PersonRow.password_hash == person.password_hash
        statement = update(PersonRow).where(PersonRow.id == person.id, same)
        async with self._database.write() as connection:
            await connection.execute(statement.values(password_hash=password_hash))


async def find(connection: AsyncConnection, email: str) -> Person | None:
    """The person with this address, in plain form."""
    columns = (
        PersonRow.id,
        PersonRow.email,
        PersonRow.language,
        PersonRow.password_set_at,
        PersonRow.password_hash,
    )
    statement = select(*columns).where(PersonRow.email == email)
    row = (await connection.execute(statement)).one_or_none()
    return None if row is None else Person(*row)


async def set_password(
    connection: AsyncConnection, person_id: str, password_hash: str, now: datetime
) -> None:
    """In a transaction of the caller's, which ends sessions in it too."""
    statement = update(PersonRow).where(PersonRow.id == person_id)
    await connection.execute(statement.values(password_hash=password_hash, password_set_at=now))


async def has_same_password(connection: AsyncConnection, person: Person) -> bool:
    """Whether the password is still the one that was proven; it stays so until the caller's
    transaction ends."""
    statement = select(PersonRow.password_set_at).where(PersonRow.id == person.id)
    found = await connection.scalar(statement.with_for_update(read=True))
    return found == person.password_set_at


async def make(connection: AsyncConnection, person: Person) -> None:
    """In a transaction of the caller's. Raises IntegrityError when the address has somebody."""
    await connection.execute(
        insert(PersonRow).values(
            id=person.id,
            email=person.email,
            password_hash=person.password_hash,
            language=person.language,
            created_at=person.password_set_at,
            password_set_at=person.password_set_at,
        )
    )
