"""What the shop sells week by week: views, carts, orders and returns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from random import Random
from zoneinfo import ZoneInfo

import polars as pl

from sample.customers import Customer
from sample.story import LOVED_ORDERS, Story

BERLIN = ZoneInfo("Europe/Berlin")
N_WEEKS_BEFORE = 13
"""Weeks of trade before the first document."""

WEEKLY_ORDERS, WEEKLY_VIEWS, WEEKLY_CARTS = 190, 480, 70
BASE_RETURNS = 0.06
RETURNS_OF_MENTIONED = 0.62
"""Share of orders that go back when their customer writes of the theme that raises returns."""

HOURS = [1, 1, 0, 0, 0, 1, 2, 4, 5, 5, 5, 5, 6, 6, 5, 5, 6, 7, 8, 10, 12, 11, 7, 3]
"""How many write or buy at each hour; none in the hour that a change of clocks leaves out."""


@dataclass(eq=False)
class Order:
    """One order of one item."""

    order_id: str
    customer: Customer
    item: str
    at: datetime
    reviewed: bool = False
    goes_back: bool = False


def moment(day: datetime, rng: Random) -> datetime:
    """A local time on a day, mostly in the evening."""
    return day.replace(
        hour=rng.choices(range(24), HOURS)[0], minute=rng.randrange(60), second=rng.randrange(60)
    )


def utc(local: datetime) -> datetime:
    """A time of Berlin's clocks as UTC."""
    return local.replace(tzinfo=BERLIN).astimezone(UTC)


class Shop:
    """Trade that knows only of earlier weeks."""

    def __init__(
        self,
        seed: int,
        start: datetime,
        items: list[dict[str, str]],
        customers: list[Customer],
        story: Story,
        erased: Customer,
    ) -> None:
        self.seed, self.start, self.story = seed, start, story
        self.items = {item["item_id"]: item for item in items}
        self.customers = customers
        self.erased = erased
        self.orders: list[Order] = []
        self.recent: dict[str, list[Order]] = {}
        """Of each item the orders of the last two months that nobody reviewed."""

        self.rows: list[tuple[datetime, str, str, str, str | None]] = []
        self._open: list[tuple[datetime, str, str, str, str | None]] = []

    def members(self, day: datetime) -> list[Customer]:
        """Customers who had joined before a day and act on their own."""
        return [
            customer
            for customer in self.customers
            if customer.joined_on < day.date() and customer is not self.erased
        ]

    def trade(self, week: int) -> None:
        """Sell for a week."""
        rng = Random(f"{self.seed}/trade/{week}")
        first = self.start + timedelta(weeks=week)
        members = self.members(first)
        busy = list(accumulate(customer.busy for customer in members))
        item_ids = list(self.items)

        def somebody() -> tuple[datetime, Customer, str]:
            customer = rng.choices(members, cum_weights=busy)[0]
            item = rng.choices(item_ids, cum_weights=customer.cares)[0]
            return moment(first + timedelta(days=rng.randrange(7)), rng), customer, item

        bought = [somebody() for _ in range(WEEKLY_ORDERS + rng.randint(-15, 15))]
        column, value = self.story.segment
        segment = [customer for customer in members if getattr(customer, column) == value]
        for _ in range(LOVED_ORDERS):
            bought.append(
                (
                    moment(first + timedelta(days=rng.randrange(7)), rng),
                    rng.choice(segment),
                    self.story.loved_item,
                )
            )
        bought += self._planted_orders(week, first)
        for at, customer, item in sorted(bought, key=lambda row: (row[0], row[1].user_id, row[2])):
            order = Order(f"B{len(self.orders) + 1:06d}", customer, item, at)
            self.orders.append(order)
            user = customer.user_id
            seen = at - timedelta(minutes=rng.randint(8, 90))
            cart = at - timedelta(minutes=rng.randint(1, 7))
            self._open += [
                (max(seen, first), user, item, "view", None),
                (max(cart, first), user, item, "cart", None),
                (at, user, item, "order", order.order_id),
            ]
            if rng.random() < BASE_RETURNS and customer is not self.erased:
                self.send_back(order, at + timedelta(days=rng.randint(5, 24), minutes=rng.randrange(600)))
        for kind, count in (("view", WEEKLY_VIEWS), ("cart", WEEKLY_CARTS)):
            for _ in range(count):
                at, customer, item = somebody()
                self._open.append((at, customer.user_id, item, kind, None))
        if week in (2, 4, 6, 8):
            self._open.append(
                (first + timedelta(hours=19), self.erased.user_id, item_ids[week], "view", None)
            )
        self.recent = {item: [] for item in self.items}
        for order in self.orders:
            age = first - order.at
            if timedelta(days=2) < age <= timedelta(days=60) and not order.reviewed:
                if order.customer is not self.erased:
                    self.recent[order.item].append(order)

    def _planted_orders(self, week: int, first: datetime) -> list[tuple[datetime, Customer, str]]:
        if week % 2 == 0 or not 0 < week < 24:
            return []
        item = self.story.defect_item if week >= self.story.onset else list(self.items)[week]
        return [(first + timedelta(days=2, hours=20), self.erased, item)]

    def send_back(self, order: Order, at: datetime) -> None:
        """Let an order go back, once."""
        if not order.goes_back:
            order.goes_back = True
            self._open.append((at, order.customer.user_id, order.item, "return", order.order_id))

    def mentioned(self, order: Order, at: datetime, rng: Random) -> None:
        """The customer has written of the theme that raises returns."""
        if rng.random() < RETURNS_OF_MENTIONED:
            self.send_back(order, at + timedelta(days=rng.randint(1, 5), minutes=rng.randrange(300)))

    def close(self, week: int) -> None:
        """Enter what happened in the week, in the order of time."""
        until = self.start + timedelta(weeks=week + 1)
        self.rows += sorted(
            (row for row in self._open if row[0] < until), key=lambda row: (row[0], row[1], row[2], row[3])
        )
        self._open = [row for row in self._open if row[0] >= until]

    def frame(self) -> pl.DataFrame:
        """All interactions."""
        return pl.DataFrame(
            {
                "interaction_id": [f"I{number:07d}" for number in range(1, len(self.rows) + 1)],
                "user_id": [row[1] for row in self.rows],
                "item_id": [row[2] for row in self.rows],
                "kind": [row[3] for row in self.rows],
                "order_id": [row[4] for row in self.rows],
                "created_at": [utc(row[0]) for row in self.rows],
            },
            schema_overrides={"created_at": pl.Datetime("us", "UTC"), "order_id": pl.String},
        )
