"""Invented customers, and the private details that they let slip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import accumulate
from random import Random

from sample.language import read_words

N_CUSTOMERS = 600
COUNTRIES = {"DE": 38, "GB": 20, "IE": 16, "NL": 14, "AT": 12}
PLANS = {"guest": 45, "club": 40, "club plus": 15}
GERMAN_SHARE = 0.44
"""Of the customers in Germany and Austria, who write in German; the others write in English."""

EMAIL_ID_SHARE = 0.45
VOICES = {"plain": 80, "small": 6, "hasty": 11, "loud": 1}
PRIVATE_KINDS = ("email", "phone", "card", "iban", "ip", "url", "address", "name")


@dataclass
class Customer:
    """One customer; what stands below `joined_on` is in no file."""

    user_id: str
    name: str
    country: str
    plan: str
    joined_on: date
    language: str
    voice: str
    email: str
    phone: str
    cares: list[float] = field(default_factory=list)
    """Cumulated weights over the items."""
    busy: float = 1.0

    @property
    def first_name(self) -> str:
        """The name that agents greet with."""
        return self.name.split()[0]


def plain_ascii(name: str) -> str:
    """A name as it stands in an address."""
    table = str.maketrans(
        {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ş": "s", "ı": "i", "'": "", " ": "", "é": "e"}
    )
    return name.lower().translate(table)


def phone_number(country: str, rng: Random) -> str:
    """A number of a range that is kept free for fiction."""
    if country in ("DE", "AT"):
        return rng.choice(["+49 30 23125 {:03d}", "030 23125{:03d}", "+49 (0)89 99998 {:03d}"]).format(
            rng.randrange(1000)
        )
    if country == "IE":
        return f"+353 20 91{rng.randrange(10)} {rng.randrange(10_000):04d}"
    return rng.choice(
        ["01632 960 {:03d}", "+44 1632 960{:03d}", "07700 900{:03d}", "+44 7700 900 {:03d}"]
    ).format(rng.randrange(1000))


def make_customers(
    seed: int, start: date, categories: Sequence[str], weights: Sequence[float]
) -> list[Customer]:
    """All customers by the day they joined, the same whatever the number of weeks.

    Args:
        seed: Of the store.
        start: First day of the store.
        categories: Of each item.
        weights: How often each item is bought.
    """
    rng = Random(f"{seed}/customers")
    people = read_words("people.toml")
    customers: list[Customer] = []
    taken: set[str] = set()
    while len(customers) < N_CUSTOMERS:
        country = rng.choices(list(COUNTRIES), list(COUNTRIES.values()))[0]
        name = f"{rng.choice(people['first_names'][country])} {rng.choice(people['last_names'][country])}"
        if rng.random() < 0.2:
            first, last = name.split(" ", 1)
            name = f"{first} {rng.choice('ABCDEFGHKLMNPRSTW')}. {last}"
        if name in taken:
            continue
        taken.add(name)
        email = _address(name, rng, people["domains"])
        number = len(customers) + 1
        joined = start - timedelta(days=rng.randint(100, 2_400))
        if rng.random() < 0.1:
            joined = start + timedelta(days=rng.randint(-90, 25 * 7))
        german = country in ("DE", "AT") and rng.random() < GERMAN_SHARE
        loved = rng.sample(sorted(set(categories)), 2)
        cares = [
            weight * (4 if category in loved else 1)
            for category, weight in zip(categories, weights, strict=True)
        ]
        customers.append(
            Customer(
                user_id=email if rng.random() < EMAIL_ID_SHARE else f"u{number:05d}",
                name=name,
                country=country,
                plan=rng.choices(list(PLANS), list(PLANS.values()))[0],
                joined_on=joined,
                language="de" if german else "en",
                voice=rng.choices(list(VOICES), list(VOICES.values()))[0],
                email=email,
                phone=phone_number(country, rng),
                cares=list(accumulate(cares)),
                busy=rng.choice([0.5, 1, 1, 2, 3]),
            )
        )
    return sorted(customers, key=lambda customer: (customer.joined_on, customer.user_id))


def _address(name: str, rng: Random, domains: Sequence[str]) -> str:
    parts = [plain_ascii(part).strip(".") for part in name.split(" ", 1)]
    user = rng.choice(["{0}.{1}", "{0}_{1}", "{0}{1}{2}", "{0}.{1}{2}"]).format(*parts, rng.randint(2, 99))
    return f"{user.replace('..', '.')}@{rng.choice(list(domains))}"


def private_detail(kind: str, customer: Customer, rng: Random) -> str:
    """Something of the kind that should not be in a text; nobody can be reached by it."""
    people = read_words("people.toml")
    german = customer.language == "de"
    if kind == "email":
        return _address(customer.name, rng, people["domains"])
    if kind == "phone":
        return phone_number(customer.country, rng)
    if kind in ("card", "iban"):
        return rng.choice(people[kind + "s"])
    if kind == "ip":
        net = rng.choice(["192.0.2.{}", "198.51.100.{}", "203.0.113.{}", "2001:db8::{:x}"])
        return net.format(rng.randint(1, 254))
    if kind == "url":
        secret = "".join(rng.choices("abcdefghkmnpqrstuvwxyz23456789", k=9))
        return rng.choice(
            [
                "https://{0}:{1}@shop.example.com/orders",
                "https://shop.example.org/login?user={0}&password={1}",
            ]
        ).format(plain_ascii(customer.first_name), secret)
    if kind == "address":
        street, town = (people[key + ("de" if german else "en")] for key in ("streets_", "towns_"))
        number = rng.randint(1, 180)
        return (
            f"{rng.choice(street)} {number}, {rng.choice(town)}"
            if german
            else f"{number} {rng.choice(street)}, {rng.choice(town)}"
        )
    return customer.name
