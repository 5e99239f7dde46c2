"""What tests of scoring by a provider need: the fake provider's process."""

from tests.provider import provider, provider_process

__all__ = ["provider", "provider_process"]
