"""商品图册: products with a price and pictures that members can send (05-customer-contact.md, 5.11)."""

import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, ClassVar

from bot.wecom.answers import Answer
from bot.wecom.api.calls import PlatformCalls, iter_pages
from bot.wecom.api.wire import FILLED, Between, Bytes, Chars, Items, Name, Shape, Tagged, to_body

ADD = "POST /cgi-bin/externalcontact/add_product_album"
GET = "POST /cgi-bin/externalcontact/get_product_album"
LIST = "POST /cgi-bin/externalcontact/get_product_album_list"
UPDATE = "POST /cgi-bin/externalcontact/update_product_album"
DELETE = "POST /cgi-bin/externalcontact/delete_product_album"

MAX_PRICE_FEN = 5_000_000
PAGE = 100

_NUMBER = Shape(re.compile(r"[0-9A-Za-z]+"), "made of letters and digits")


@dataclass(frozen=True, slots=True)
class ProductImage:
    """A picture, by `upload_attachment` for the album."""

    kind: ClassVar[str] = "image"

    media_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProduct:
    """A product to be put into the album; `number` is the bank's own."""

    description: Annotated[str, Chars(300, least=1)]
    price_fen: Annotated[int, Name("price"), Between(0, MAX_PRICE_FEN)]
    images: Annotated[tuple[ProductImage, ...], Name("attachments"), Tagged("type"), Items(9, least=1)]
    number: Annotated[str | None, Name("product_sn"), Bytes(128), _NUMBER] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductEdit:
    """What is to change; what is `None` or empty stays."""

    product_id: Annotated[str, FILLED]
    description: Annotated[str | None, Chars(300, least=1)] = None
    price_fen: Annotated[int | None, Name("price"), Between(0, MAX_PRICE_FEN)] = None
    images: Annotated[tuple[ProductImage, ...], Name("attachments"), Tagged("type"), Items(9)] = ()
    number: Annotated[str | None, Name("product_sn"), Bytes(128), _NUMBER] = None


@dataclass(frozen=True, slots=True)
class Product:
    """A product in the album. `created_at` is told for one product only, not in the list."""

    id: str
    description: str
    price_fen: int
    number: str
    image_media_ids: tuple[str, ...]
    created_at: datetime | None


async def add_product(client: PlatformCalls, product: NewProduct) -> str:
    """Put a product into the album and return its id."""
    return Answer(ADD, await client.call(ADD, to_body(ADD, product))).text("product_id")


async def get_product(client: PlatformCalls, product_id: str) -> Product:
    """Return a product."""
    return _read_product(Answer(GET, await client.call(GET, {"product_id": product_id})).child("product"))


async def iter_products(client: PlatformCalls) -> AsyncIterator[Product]:
    """Yield all products."""
    async for page in iter_pages(client, LIST, {"limit": PAGE}):
        for item in page.children("product_list"):
            yield _read_product(item)


async def update_product(client: PlatformCalls, edit: ProductEdit) -> None:
    """Change a product."""
    await client.call(UPDATE, to_body(UPDATE, edit))


async def delete_product(client: PlatformCalls, product_id: str) -> None:
    """Take a product out of the album."""
    await client.call(DELETE, {"product_id": product_id})


def _read_product(item: Answer) -> Product:
    return Product(
        id=item.text("product_id"),
        description=item.text("description", ""),
        price_fen=item.number("price", 0),
        number=item.text("product_sn", ""),
        image_media_ids=_read_images(item.children("attachments")),
        created_at=item.instant("create_time"),
    )


def _read_images(items: Sequence[Answer]) -> tuple[str, ...]:
    images = (item.find_child("image") for item in items)
    return tuple(image.text("media_id", "") for image in images if image)
