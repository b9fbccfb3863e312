"""The worker's Faust app, from the environment: `faust -A agents.app worker`."""

import os

from agents.broker_probe import BrokerProbe
from agents.data_folder import PRIVATE_UMASK, DataFolder
from agents.garbage import settle_collector
from agents.worker import SegmentApp
from streamseg.settings import Settings

os.umask(PRIVATE_UMASK)
_settings = Settings.read()
app = SegmentApp(
    _settings,
    start_seconds=_settings.start_timeout_ms / 1000,
    probe=BrokerProbe(_settings),
    data_folder=DataFolder(_settings),
)
settle_collector()
