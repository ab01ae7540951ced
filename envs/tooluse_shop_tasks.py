"""Requests of a shop: what it holds, and what may be wished for."""

from __future__ import annotations

from typing import Any

import numpy as np

from reward_synth.envs.tooluse_shop import TOOLS, Shop
from reward_synth.envs.tooluse_tasks import Documents, Domain, Fact, Lookup, Wish
from reward_synth.envs.tooluse_words import names, numbers


def documents(rng: np.random.Generator, size: int) -> Documents:
    """Draw ``size`` products and customers, and two orders for each customer."""
    drawn = names(rng, 2 * size)
    skus, customers = numbers(rng, "P", size), numbers(rng, "C", size)
    prices = rng.integers(2, 400, size) / 4
    stocks = rng.integers(20, 60, size)
    wanted = rng.integers(size, size=2 * size)
    counts = rng.integers(1, 9, 2 * size).tolist()
    rows = [
        (number, customers[i % size], skus[wanted[i]], counts[i], "open")
        for i, number in enumerate(numbers(rng, "O", 2 * size))
    ]
    products = zip(skus, drawn, prices.tolist(), stocks.tolist(), strict=False)
    named = zip(customers, drawn[size:], strict=True)
    return {"products": list(products), "customers": list(named), "orders": rows}


def _drawn(rng: np.random.Generator, rows: Any) -> Any:
    return rows[int(rng.integers(len(rows)))]


def _sku(rng: np.random.Generator, given: Documents) -> Fact:
    sku, name = _drawn(rng, given["products"])[:2]
    lookup = Lookup(
        "find_product", {"product": Fact("product", name)}, "product {product}"
    )
    return Fact("sku", sku, "number '{value}'", lookup)


def _customer(rng: np.random.Generator, given: Documents) -> Fact:
    number, name = _drawn(rng, given["customers"])
    facts = {"customer": Fact("customer", name)}
    lookup = Lookup("find_customer", facts, "customer {customer}")
    return Fact("customer_id", number, "customer number '{value}'", lookup)


def _order(rng: np.random.Generator, given: Documents) -> Fact:
    customer = _customer(rng, given)
    mine = [row for row in given["orders"] if row[1] == customer.value]
    words = "the latest order of {customer_id}"
    lookup = Lookup("latest_order", {"customer_id": customer}, words)
    return Fact("order_id", mine[-1][0], "order '{value}'", lookup)


def _place(rng: np.random.Generator, given: Documents) -> Wish:
    facts = {"customer_id": _customer(rng, given), "sku": _sku(rng, given)}
    facts["quantity"] = Fact("quantity", int(rng.integers(1, 9)), "{value}")
    wordings = (
        "Order {quantity} of {sku} for {customer_id}.",
        "For {customer_id} we need {quantity} of {sku}.",
    )
    return Wish("place_order", facts, wordings)


def _cancel(rng: np.random.Generator, given: Documents) -> Wish:
    wordings = ("Cancel {order_id}.", "Nobody wants {order_id} any more.")
    return Wish("cancel_order", {"order_id": _order(rng, given)}, wordings)


def _ship(rng: np.random.Generator, given: Documents) -> Wish:
    wordings = ("Ship {order_id}.", "Let {order_id} go out.")
    return Wish("ship_order", {"order_id": _order(rng, given)}, wordings)


def _reprice(rng: np.random.Generator, given: Documents) -> Wish:
    sku = _sku(rng, given)
    price = float(rng.integers(401, 800)) / 4
    wordings = (
        "Set the price of {sku} to {price}.",
        "Take {price} for {sku} from now on.",
    )
    return Wish(
        "set_price", {"sku": sku, "price": Fact("price", price, "{value}")}, wordings
    )


def _restock(rng: np.random.Generator, given: Documents) -> Wish:
    quantity = Fact("quantity", int(rng.integers(10, 90)), "{value}")
    wordings = (
        "Put {quantity} more of {sku} into the store.",
        "{sku}: {quantity} came in.",
    )
    return Wish("restock", {"sku": _sku(rng, given), "quantity": quantity}, wordings)


DOMAIN = Domain(
    "shop",
    "You run the database of a shop.",
    TOOLS,
    documents,
    Shop,
    (_place, _cancel, _ship, _reprice, _restock),
    ("product", "sku", "price", "customer", "customer_id", "order_id", "quantity"),
    frozenset({"product", "sku", "customer", "customer_id", "order_id"}),
)
