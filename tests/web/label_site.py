"""A deployment with one printed, enrolled label, its console and pages served, and photos as a phone takes them."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec

sys.path.append(str(Path(__file__).resolve().parents[1] / "console"))

import console_site
from console_site import Site
from numpy.random import PCG64, Generator

from suyuan.capture.prepare import Deliverer
from suyuan.catalog import Product, put_products
from suyuan.enrolment.enrolling import EnrolCommand
from suyuan.gs1.percent import encode_value
from suyuan.issuing import issue, iter_serials
from suyuan.label.model import Placement
from suyuan.label.simulation.pattern_camera import as_png, draw_phone, draw_scanner, photograph, scan
from suyuan.label.simulation.pattern_copies import copied
from suyuan.label.simulation.print_label import LAYOUTS, artwork, code_modules, placement, template_bits
from suyuan.label.simulation.print_press import Field, Press, draw_press, print_dots
from suyuan.log import publish, sequence_once

GTIN, LOT = "08710000001236", "L25216A"
LAYOUT = LAYOUTS["press"]


class LabelSite(msgspec.Struct, frozen=True):
    """The site, its serials, the path of the first item, and its label as it was printed."""

    site: Site
    serials: list[str]
    path: str
    uri: str
    template: bytes
    printed: Field
    press: Press

    def photo(self, seed: int = 1, *, of: str = "genuine", **phone: float) -> bytes:
        """A JPEG of the label, or of what an attack made of it; steady hands and good light unless said otherwise."""
        rng = Generator(PCG64([seed, 7]))
        seen = self.printed
        if of != "genuine":
            bits = template_bits(self.template)
            seen = copied(of, self.printed, self.uri, bits, LAYOUT, self.press, "test", rng)
        held = {
            "tilt": 2.0,
            "turn": 4.0,
            "defocus": 0.1,
            "motion": 0.1,
            "glare": 0.0,
            "gradient": 0.05,
            "bend": 0.0,
        }
        return photograph(seen, draw_phone("test", rng, **{**held, "exposure": 0.8, **phone}), rng)


@contextlib.asynccontextmanager
async def label_site(database_url: str, folder: Path) -> AsyncIterator[LabelSite]:
    """One item of one batch with patterns; its label is printed, enrolled and in the log."""
    async with console_site.site(database_url, folder, code_host="trace.example") as site:
        services = site.services
        product = Product(
            gtin=GTIN, name_zh="婴幼儿配方奶粉3段", name_en="Infant formula stage 3", owner_party="op"
        )
        await put_products(services.pool, [product], recorded_by="op")
        batch = await issue(
            services.pool, services.mac_keys, gtin=GTIN, lot=LOT, count=2, party_id="op",
            pattern=services.pattern_keys,
        )  # fmt: skip
        serials = [one async for part in iter_serials(services.pool, batch.batch_id) for one in part]
        serial = serials[0]
        uri = f"HTTPS://TRACE.EXAMPLE/01/{GTIN}/21/{serial}"
        template = services.pattern_keys.template(batch.epoch, batch.pattern_key, GTIN, serial)
        rng = Generator(PCG64(11))
        press = draw_press("test", rng, technology="press", dpi=LAYOUT.dpi)
        printed = print_dots(artwork(uri, template_bits(template), LAYOUT), press, rng)
        scanner = draw_scanner("test", rng)
        place = placement(code_modules(uri).shape[0], LAYOUT)
        command = EnrolCommand(uri=uri, track="A", placement=Placement(place.x, place.y, place.side))
        frames = [as_png(scan(printed, scanner, rng)) for _ in range(3)]
        await services.enroller.enrol(command, frames, Deliverer("op"))
        await sequence_once(services.pool)
        await publish(services.pool, services.signer)
        path = f"/01/{GTIN}/21/{encode_value(serial)}"
        yield LabelSite(site, serials, path, uri, template, printed, press)
