"""The picture of the console in README.md. `python -m tests.browser.picture` takes it again.

It shows the builder with the worked case. Pictures are compared by blocks of pixels, so that a hair's
breadth does not count, and a changed, added or removed control does.
"""

from __future__ import annotations

import base64
import tempfile
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Shop, new_context
from tests.browser.program import launch
from tests.docs.pages import DOCS, section

FILE: Final = DOCS / "console.png"
WIDTH, HEIGHT = 1280, 760
BLOCK = 8
"""The edge of a block, in pixels."""
DARKER = 24
"""By how much the mean brightness of a block, 0 to 255, must differ."""

_DIFFERENCES = """async ([one, other, block, darker]) => {
    const read = async (data) => {
        const image = new Image();
        image.src = data;
        await image.decode();
        const canvas = document.createElement('canvas');
        canvas.width = image.width;
        canvas.height = image.height;
        const drawing = canvas.getContext('2d');
        drawing.drawImage(image, 0, 0);
        return drawing.getImageData(0, 0, image.width, image.height);
    };
    const [a, b] = [await read(one), await read(other)];
    if (a.width !== b.width || a.height !== b.height) return 1;
    const mean = (picture, left, top) => {
        let sum = 0;
        for (let y = top; y < top + block; y += 1)
            for (let x = left; x < left + block; x += 1) {
                const at = (y * picture.width + x) * 4;
                sum += picture.data[at] + picture.data[at + 1] + picture.data[at + 2];
            }
        return sum / (3 * block * block);
    };
    let blocks = 0, different = 0;
    for (let top = 0; top + block <= a.height; top += block)
        for (let left = 0; left + block <= a.width; left += block) {
            blocks += 1;
            if (Math.abs(mean(a, left, top) - mean(b, left, top)) > darker) different += 1;
        }
    return different / blocks;
}"""


def worked_case() -> dict[str, Any]:
    (definition,) = section("segment-language.md", "New members from China").json
    return dict(definition)


def take(browser: Browser, url: str) -> bytes:
    """Return the picture as PNG. The worker at `url` has the segment `cn-members` and the ten contacts of
    `tests.browser.conftest.Shop`."""
    context = new_context(browser, url, viewport={"width": WIDTH, "height": HEIGHT}, color_scheme="light")
    page = context.new_page()
    page.goto("/console/segments/cn-members/edit")
    expect(page.locator(".ant-statistic-content")).to_have_text("4", timeout=60_000)
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready")
    picture = page.screenshot(animations="disabled", caret="hide")
    context.close()
    return picture


def difference(page: Page, one: bytes, other: bytes) -> float:
    """Return which share of the blocks of two pictures differ; 1 if they have different sizes."""
    data = [f"data:image/png;base64,{base64.b64encode(picture).decode()}" for picture in (one, other)]
    return float(page.evaluate(_DIFFERENCES, [*data, BLOCK, DARKER]))


def main() -> None:
    from confluent_kafka import Producer
    from playwright.sync_api import sync_playwright

    from agents.demo.embedded import EmbeddedBroker, EmbeddedWorker
    from tests.agents.installation import installed

    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedBroker() as broker,
        EmbeddedWorker(installed(broker, Path(folder) / "data")) as worker,
        sync_playwright() as playwright,
    ):
        assert worker.app is not None
        producer = Producer({"bootstrap.servers": broker.bootstrap, "partitioner": "murmur2_random"})
        shop = Shop(f"http://127.0.0.1:{worker.app.web_server_service.port}", producer)
        shop.fill()
        shop.create(**worked_case())
        browser = launch(playwright)
        FILE.write_bytes(take(browser, shop.url))
        browser.close()


if __name__ == "__main__":
    main()
