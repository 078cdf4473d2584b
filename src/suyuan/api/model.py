"""What the doors need of the rooms below, and what they say in common."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias, cast

from litestar import Request
from litestar.datastructures import State

from suyuan.capture.intake import Capture
from suyuan.capture.prepare import Deliverer
from suyuan.db.pool import Pool
from suyuan.enrolment.enrolling import Enroller
from suyuan.issuing import MacKeys, PatternKeys, ScratchKeys
from suyuan.log import Tree
from suyuan.parties import Authenticator, Principal
from suyuan.scans import LabelChecker
from suyuan.settings import Settings
from suyuan.tlog.note import Ed25519Signer
from suyuan.trace import TraceReader
from suyuan.vault import Vault

Call: TypeAlias = "Request[Any, Any, State]"


class Services(Protocol):
    """The services of a process as the doors use them; ``suyuan.app`` has them ready."""

    @property
    def settings(self) -> Settings: ...
    @property
    def pool(self) -> Pool: ...
    @property
    def capture(self) -> Capture: ...
    @property
    def reader(self) -> TraceReader: ...
    @property
    def tree(self) -> Tree: ...
    @property
    def vault(self) -> Vault: ...
    @property
    def mac_keys(self) -> MacKeys: ...
    @property
    def scratch_keys(self) -> ScratchKeys: ...
    @property
    def pattern_keys(self) -> PatternKeys: ...
    @property
    def enroller(self) -> Enroller: ...
    @property
    def label_checker(self) -> LabelChecker: ...
    @property
    def authenticator(self) -> Authenticator: ...
    @property
    def signer(self) -> Ed25519Signer: ...

    async def deliverer(self, principal: Principal) -> Deliverer:
        """The caller as one who delivers papers."""
        ...


def services_of(call: Call) -> Services:
    """The services that the application was made with."""
    return cast("Services", call.app.state["services"])
