"""The worker's Faust app, with the settings of the environment: `faust -A agents.app worker` runs it."""

import os

from agents.kafka.broker_probe import BrokerProbe
from agents.worker.data_folder import PRIVATE_UMASK, DataFolder
from agents.worker.garbage import tune_collector
from agents.worker.segment_app import SegmentApp
from streamseg.settings import Settings

os.umask(PRIVATE_UMASK)
_settings = Settings.read()
app = SegmentApp(
    _settings,
    start_seconds=_settings.start_timeout_ms / 1000,
    probe=BrokerProbe(_settings),
    data_folder=DataFolder(_settings),
)
tune_collector()
