"""商品图册 (05, 5.11): products that members can send."""

import re

from simulator.api.endpoint import APP, Answer, Endpoint, ok
from simulator.api.found_media import need_media
from simulator.api.params import need_object, need_text, page, read_number, read_objects, read_text
from simulator.errors import ApiError
from simulator.platform import ApiCall, Platform
from simulator.state import Json
from simulator.state_contacts import Product

LONGEST_DESCRIPTION = 300
HIGHEST_PRICE_FEN = 50_000 * 100
PRODUCT_SN = re.compile(r"[0-9A-Za-z]{0,128}")
MOST_IMAGES = 9


def add_product_album(platform: Platform, call: ApiCall) -> Answer:
    """Make a product with 1 to 9 pictures; the price is in fen."""
    body = call.body
    need_text(body, "description")
    product = Product(
        product_id=platform.new_id("prod"),
        description=read_text(body, "description", LONGEST_DESCRIPTION),
        price=read_number(body, "price", None, 0, HIGHEST_PRICE_FEN),
        product_sn=_read_number_of_product(body),
        attachments=_read_images(platform, body),
        created_at=platform.clock.seconds(),
    )
    platform.world.products.put(product)
    return ok(product_id=product.product_id)


def _read_number_of_product(body: Json) -> str:
    number = read_text(body, "product_sn")
    if not PRODUCT_SN.fullmatch(number):
        raise ApiError(40058, "invalid parameter: product_sn has at most 128 letters and digits")
    return number


def _read_images(platform: Platform, body: Json) -> list[Json]:
    attachments = read_objects(body, "attachments", MOST_IMAGES)
    if not attachments:
        raise ApiError(40063, "missing or empty: attachments")
    for attachment in attachments:
        if need_text(attachment, "type") != "image":
            raise ApiError(41065)
        need_media(platform, need_text(need_object(attachment, "image"), "media_id"), "image", "album")
    return attachments


def _need_product(platform: Platform, body: Json) -> Product:
    product = platform.world.products.find(need_text(body, "product_id"))
    if product is None:
        raise ApiError(40058, "invalid parameter: product_id")
    return product


def _show(product: Product) -> Json:
    return {
        "product_id": product.product_id,
        "description": product.description,
        "price": product.price,
        "product_sn": product.product_sn,
        "attachments": product.attachments,
    }


def get_product_album_list(platform: Platform, call: ApiCall) -> Answer:
    """Return products page by page."""
    limit = read_number(call.body, "limit", 50, 1, 100)
    shown, following = page(list(platform.world.products.rows.values()), read_text(call.body, "cursor"), limit)
    answer = ok(product_list=[_show(row) for row in shown])
    if following:
        answer["next_cursor"] = following
    return answer


def get_product_album(platform: Platform, call: ApiCall) -> Answer:
    """Return one product."""
    product = _need_product(platform, call.body)
    return ok(product={**_show(product), "create_time": product.created_at})


def update_product_album(platform: Platform, call: ApiCall) -> Answer:
    """Change what is given of a product."""
    body = call.body
    product = _need_product(platform, body)
    description = read_text(body, "description", LONGEST_DESCRIPTION) or product.description
    price = read_number(body, "price", product.price, 0, HIGHEST_PRICE_FEN)
    number = _read_number_of_product(body) if body.get("product_sn") else product.product_sn
    images = _read_images(platform, body) if body.get("attachments") is not None else product.attachments
    product.description, product.price, product.product_sn, product.attachments = description, price, number, images
    platform.world.products.put(product)
    return ok()


def delete_product_album(platform: Platform, call: ApiCall) -> Answer:
    """Remove a product."""
    platform.world.products.remove(_need_product(platform, call.body).product_id)
    return ok()


ENDPOINTS = {
    "POST /cgi-bin/externalcontact/add_product_album": Endpoint(add_product_album, APP),
    "POST /cgi-bin/externalcontact/get_product_album_list": Endpoint(get_product_album_list, APP),
    "POST /cgi-bin/externalcontact/get_product_album": Endpoint(get_product_album, APP),
    "POST /cgi-bin/externalcontact/update_product_album": Endpoint(update_product_album, APP),
    "POST /cgi-bin/externalcontact/delete_product_album": Endpoint(delete_product_album, APP),
}
