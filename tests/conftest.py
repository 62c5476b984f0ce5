"""Rules for every test run: nothing is skipped in silence, and the big model only on request."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--no-skips", action="store_true", help="fail when any test is skipped (make test, CI)"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that talk to a real language model, unless ``-m`` names them."""
    if "model" in config.option.markexpr:
        return
    opted_out = [item for item in items if item.get_closest_marker("model")]
    config.hook.pytest_deselected(items=opted_out)
    items[:] = [item for item in items if item not in opted_out]


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Turn a green run with skipped tests red."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not session.config.option.no_skips:
        return
    skipped = reporter.stats.get("skipped", [])
    if skipped and session.exitstatus == pytest.ExitCode.OK:
        reporter.write_line(f"\n--no-skips: {len(skipped)} skipped", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
