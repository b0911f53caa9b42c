"""The servers that tests of several folders share; each is started for the first who asks."""

import os
from collections.abc import Iterator

import pytest

from ree.entrypoints.logs import MODEL_VERSION, REQUEST_ID, RUN_ID

from .servers.access import Access
from .servers.gcs import Gcs
from .servers.rabbitmq import NoRabbit, RabbitMQ
from .servers.rabbitmq import rabbitmq as program_of_rabbitmq
from .servers.seaweedfs import SeaweedFS, weed_or_skip


@pytest.fixture(autouse=True)
def no_ids() -> Iterator[None]:
    """What a test left in the middle of a request or a task is on no line of the next one."""
    yield
    for variable in (REQUEST_ID, RUN_ID, MODEL_VERSION):
        variable.set(None)


@pytest.fixture(scope="session")
def aws_environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[pytest.MonkeyPatch]:
    """Nothing of the machine's own accounts; a question for a role stays unasked."""
    nothing = tmp_path_factory.mktemp("aws") / "nothing"
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_CONFIG_FILE", str(nothing))
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(nothing))
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield patch


@pytest.fixture(scope="session")
def seaweedfs(
    aws_environment: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SeaweedFS]:
    """The real server."""
    weed_or_skip()
    with SeaweedFS(tmp_path_factory.mktemp("seaweedfs") / "server") as server:
        yield server


@pytest.fixture(scope="session")
def rabbitmq(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitMQ]:
    """The real server."""
    try:
        program_of_rabbitmq()
    except NoRabbit as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))
    with RabbitMQ(tmp_path_factory.mktemp("rabbitmq") / "server") as server:
        yield server


@pytest.fixture(scope="session")
def moto(aws_environment: pytest.MonkeyPatch) -> Iterator[Access]:
    """AWS's answers, from a double that lets anybody in."""
    from .servers.aws import aws

    with aws() as access:
        yield access


@pytest.fixture(scope="session")
def gcs(
    aws_environment: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Gcs]:
    """The strict double; trusted as a user would have it trusted."""
    with Gcs(tmp_path_factory.mktemp("gcs")) as server:
        aws_environment.setenv("AWS_CA_BUNDLE", str(server.certificate))
        yield server


@pytest.fixture(scope="session")
def unconditional(gcs: Gcs) -> Iterator[Gcs]:
    """The double, deaf to every condition."""
    with Gcs(gcs.folder, deaf=True) as server:
        yield server
