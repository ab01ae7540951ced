"""A shop: goods, customers and orders in a SQLite database of the episode's own."""
# ruff: noqa: D417 - the world is no argument of a tool

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from functools import lru_cache
from typing import Any

from reward_synth.envs.tooluse_functions import ToolError, ToolFunction
from reward_synth.envs.tooluse_tasks import Documents

_MOST = 1000
_TABLES = """
create table products (sku text primary key, product text unique, price real, stock integer);
create table customers (customer_id text primary key, customer text unique);
create table orders (number integer primary key, order_id text unique, customer_id text,
                     sku text, quantity integer, status text);
"""


class Shop:
    """What the tools act on: a database in memory, which ends with the episode.

    Args:
        documents: Rows of the tables.
    """

    def __init__(self, documents: Documents) -> None:
        self.db = _connected()
        self.db.deserialize(_empty())  # several times faster than making the tables
        self.db.execute("begin")
        self.db.executemany(
            "insert into products values (?, ?, ?, ?)", documents["products"]
        )
        self.db.executemany(
            "insert into customers values (?, ?)", documents["customers"]
        )
        self.db.executemany(
            "insert into orders values (null, ?, ?, ?, ?, ?)", documents["orders"]
        )
        self.db.execute("commit")

    def state(self) -> Mapping[str, Any]:
        """Return all rows; the numbers of orders that were made later do not count."""
        products = self.db.execute("select * from products order by sku").fetchall()
        orders = self.db.execute(
            "select customer_id, sku, quantity, status from orders "
            "order by customer_id, sku, quantity, status"
        ).fetchall()
        return {"products": products, "orders": orders}

    def close(self) -> None:
        """Close the database."""
        self.db.close()

    def row(self, query: str, key: str, missing: str) -> tuple[Any, ...]:
        """Return the one row of a query, or refuse with what is missing."""
        found: tuple[Any, ...] | None = self.db.execute(query, (key,)).fetchone()
        if found is None:
            raise ToolError(missing)
        return found

    def product(self, sku: str) -> tuple[Any, ...]:
        """Return a product's row."""
        query = "select * from products where sku = ?"
        return self.row(query, sku, "There is no product of this number.")

    def customer(self, customer_id: str) -> tuple[Any, ...]:
        """Return a customer's row."""
        query = "select * from customers where customer_id = ?"
        return self.row(query, customer_id, "There is no customer of this number.")


def _connected() -> sqlite3.Connection:
    return sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)


@lru_cache(maxsize=1)
def _empty() -> bytes:
    """Return the image of a database with tables and no rows."""
    with closing(_connected()) as db:
        db.executescript(_TABLES)
        return db.serialize()


def _counted(quantity: int) -> int:
    if not 1 <= quantity <= _MOST:
        raise ToolError(f"A quantity lies from 1 to {_MOST}.")
    return int(quantity)


def find_product(shop: Shop, product: str) -> dict[str, Any]:
    """Look up a product by its name.

    Args:
        product: The whole name.
    """
    query = "select sku, price, stock from products where product = ?"
    sku, price, stock = shop.row(query, product, "There is no product of this name.")
    return {"sku": sku, "price": price, "stock": stock}


def find_customer(shop: Shop, customer: str) -> dict[str, str]:
    """Look up a customer by name.

    Args:
        customer: The whole name.
    """
    query = "select customer_id from customers where customer = ?"
    found = shop.row(query, customer, "There is no customer of this name.")
    return {"customer_id": found[0]}


def latest_order(shop: Shop, customer_id: str) -> dict[str, Any]:
    """Look up the latest order of a customer.

    Args:
        customer_id: Number of the customer.
    """
    query = (
        "select order_id, sku, quantity from orders where customer_id = ? "
        "order by number desc limit 1"
    )
    found = shop.row(query, customer_id, "There is no order of this customer.")
    return dict(zip(("order_id", "sku", "quantity"), found, strict=True))


def count_orders(shop: Shop, customer_id: str) -> dict[str, int]:
    """Count the orders of a customer.

    Args:
        customer_id: Number of the customer.
    """
    query = "select count(*) from orders where customer_id = ?"
    return {"orders": shop.row(query, customer_id, "")[0]}


def place_order(shop: Shop, customer_id: str, sku: str, quantity: int) -> str:
    """Order goods for a customer.

    Args:
        customer_id: Number of the customer.
        sku: Number of the product.
        quantity: How many.
    """
    shop.customer(customer_id)
    if shop.product(sku)[3] < _counted(quantity):
        raise ToolError("There are not so many in the store.")
    shop.db.execute(
        "update products set stock = stock - ? where sku = ?", (quantity, sku)
    )
    number = shop.db.execute("select count(*) from orders").fetchone()[0]
    row = (f"N{number}", customer_id, sku, int(quantity), "open")
    shop.db.execute("insert into orders values (null, ?, ?, ?, ?, ?)", row)
    return f"ordered: {quantity} of {sku} for {customer_id}"


def _settle(shop: Shop, order_id: str, status: str) -> str:
    query = "select status from orders where order_id = ?"
    if shop.row(query, order_id, "There is no order of this number.")[0] != "open":
        raise ToolError("This order is not open any more.")
    shop.db.execute(
        "update orders set status = ? where order_id = ?", (status, order_id)
    )
    return f"{status}: {order_id}"


def cancel_order(shop: Shop, order_id: str) -> str:
    """Cancel an open order.

    Args:
        order_id: Number of the order.
    """
    return _settle(shop, order_id, "cancelled")


def ship_order(shop: Shop, order_id: str) -> str:
    """Ship an open order.

    Args:
        order_id: Number of the order.
    """
    return _settle(shop, order_id, "shipped")


def set_price(shop: Shop, sku: str, price: float) -> str:
    """Set the price of a product.

    Args:
        sku: Number of the product.
        price: The new price.
    """
    shop.product(sku)
    if not 0 < price <= _MOST:
        raise ToolError(f"A price lies above 0 and is at most {_MOST}.")
    shop.db.execute("update products set price = ? where sku = ?", (price, sku))
    return f"price of {sku}: {price}"


def restock(shop: Shop, sku: str, quantity: int) -> str:
    """Put more of a product into the store.

    Args:
        sku: Number of the product.
        quantity: How many.
    """
    shop.product(sku)
    added = (_counted(quantity), sku)
    shop.db.execute("update products set stock = stock + ? where sku = ?", added)
    return f"in the store of {sku}: {shop.product(sku)[3]}"


def drop_product(shop: Shop, sku: str) -> str:
    """Take a product out of the shop for good.

    Args:
        sku: Number of the product.
    """
    shop.product(sku)
    shop.db.execute("delete from products where sku = ?", (sku,))
    return f"dropped: {sku}"


_FUNCTIONS: tuple[Callable[..., Any], ...] = (
    find_product,
    find_customer,
    latest_order,
    count_orders,
    place_order,
    cancel_order,
    ship_order,
    set_price,
    restock,
    drop_product,
)
TOOLS = tuple(map(ToolFunction.of, _FUNCTIONS))
