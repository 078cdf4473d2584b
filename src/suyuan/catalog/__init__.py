"""Master data: what a product is called and who stands behind it, where a place is.

Master data describes, it proves nothing: it is never part of an event and never hashed. It is versioned by
insertion and the newest version of a key counts; putting what is there already adds nothing.

Not here: who may put (``parties``' grants, asked by the faces), which field an audience sees
(``disclosure``).
"""

from suyuan.catalog.reading import read_places_csv, read_products_csv
from suyuan.catalog.records import Place, Product, check_place, check_product
from suyuan.catalog.store import (
    find_places,
    find_products,
    get_place,
    get_product,
    list_places,
    list_products,
    put_places,
    put_products,
)

__all__ = [
    "Place",
    "Product",
    "check_place",
    "check_product",
    "find_places",
    "find_products",
    "get_place",
    "get_product",
    "list_places",
    "list_products",
    "put_places",
    "put_products",
    "read_places_csv",
    "read_products_csv",
]
