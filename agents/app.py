"""The worker's Faust app, from the environment: `faust -A agents.app worker`."""

from agents.garbage import settle_collector
from agents.worker import SegmentApp
from streamseg.settings import Settings

app = SegmentApp(Settings.read())
settle_collector()
