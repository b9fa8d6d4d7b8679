"""What a channel is opened with: its settings, its secrets, where its files go, and a clock."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from regulars.adapters.channels.plumbing.stopping import never
from regulars.settings import ChannelSettings


class Secrets(Mapping[str, str]):
    """Secrets by name of their setting; shown nowhere.

    Example:
        >>> secrets = Secrets({"secret_env": "hunter2"})
        >>> secrets, secrets["secret_env"]
        (Secrets(secret_env), 'hunter2')
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        """Keep a copy."""
        self._values = dict(values)

    def __getitem__(self, name: str) -> str:
        """Give the secret, "" where none is set."""
        return self._values.get(name, "")

    def __iter__(self) -> Iterator[str]:
        """Go over the names."""
        return iter(self._values)

    def __len__(self) -> int:
        """Count them."""
        return len(self._values)

    def __repr__(self) -> str:
        """Name them, without a value."""
        return f"Secrets({', '.join(sorted(self._values))})"


@dataclass(frozen=True)
class Setup:
    """What a channel is opened with.

    Attributes:
        name: The channel, as the settings name it.
        settings: What `regulars.toml` says of it.
        secrets: Value by setting that names a variable: "secret_env" and its like.
        folder: The workspace, for channels that keep files.
        clock: Gives the moment; signatures carry it.
        is_stopped: Tells whether everything was stopped; asked before each contact.
    """

    name: str
    settings: ChannelSettings
    secrets: Secrets
    folder: Path
    clock: Callable[[], datetime]
    is_stopped: Callable[[], bool] = never

    def base(self, usual: str) -> str:
        """Give the address of the provider: the one in the settings, or the usual one."""
        return (self.settings.base_url or usual).rstrip("/")

    @property
    def secret(self) -> str:
        """The secret most channels have one of."""
        return self.secrets["secret_env"]
