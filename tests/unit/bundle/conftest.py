"""One exported bundle of the small company, and its key."""

from types import SimpleNamespace

import pytest
from tests.unit.bundle import company

from ticssync.bundle.keys import make_key
from ticssync.bundle.layout import plan_bundle
from ticssync.bundle.write import export


@pytest.fixture(scope="session")
def key(tmp_path_factory):
    return make_key(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def exported(tmp_path_factory, key):
    folder = tmp_path_factory.mktemp("bundle")
    return export(
        plan_bundle(company.snapshot()),
        folder,
        key=key,
        exported_at=company.EXPORTED_AT,
        openers=company.openers(),
    )


@pytest.fixture
def make(tmp_path, key):
    """Export a snapshot with changes; gives the result and its files by path."""
    import zipfile

    def make_(openers=None, folder=tmp_path / "out", exported_at=company.EXPORTED_AT, **changes):
        plan = plan_bundle(company.snapshot(**changes))
        done = export(
            plan,
            folder,
            key=key,
            exported_at=exported_at,
            openers=company.openers() if openers is None else openers,
        )
        with zipfile.ZipFile(done.path) as package:
            files = {name: package.read(name) for name in package.namelist()}
        return SimpleNamespace(exported=done, files=files, plan=plan)

    return make_
