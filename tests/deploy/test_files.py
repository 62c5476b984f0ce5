"""The platforms' files: well-formed, and in step with our settings and our timing."""

import os
import subprocess
import tomllib
from pathlib import Path
from unittest.mock import patch

import pytest

from app import settings
from tests.deploy import dockerfile
from tests.deploy.platforms import (
    CONVEX,
    PLATFORMS,
    ROOT,
    Platform,
    compose_yaml,
    fly_toml,
    image,
    systemd_unit,
)
from tests.docs.blocks import blocks_of
from tests.servers.nginx import SNIPPET, check_syntax
from tests.servers.perch import ADMIN_KEY, WIDGET_KEY

# Between the end of the last answer and the end of the process.
MARGIN_S = 3
# What belongs to Python, not to us.
NOT_OURS = {"PATH", "PYTHONUNBUFFERED"}
ANSWERS = {
    "WIDGET_API_KEY": WIDGET_KEY,
    "ADMIN_API_KEY": ADMIN_KEY,
    "SECRET_KEY": "a-secret-of-the-deployment-tests",
    "DASHBOARD_PASSWORD": "a-password-of-the-deployment-tests",
    "OPENAI_API_KEY": "sk-of-the-deployment-tests",
    "CORS_ORIGIN": "https://site.test",
    "CONVEX_URL": "https://happy-animal-123.convex.cloud",
    "CONVEX_DEPLOY_KEY": "prod:happy-animal-123|key",
}


@pytest.fixture(params=PLATFORMS)
def platform(request: pytest.FixtureRequest) -> Platform:
    return PLATFORMS[request.param]()


def settings_on(platform: Platform, **more: str) -> settings.Settings:
    """What the server reads there, when the owner typed in what was asked."""
    asked = {name: ANSWERS[name] for name in platform.asked}
    with patch.dict(os.environ, {**platform.given, **platform.variables, **asked, **more}, True):
        return settings.load()


def test_every_variable_is_one_of_ours(platform: Platform) -> None:
    ours = set(settings.variables()) | NOT_OURS

    assert set(platform.variables) | set(platform.asked) <= ours


def test_it_starts_in_production_with_what_is_asked_for(platform: Platform) -> None:
    assert settings_on(platform).is_production


@pytest.mark.parametrize("forgotten", ["OPENAI_API_KEY", "WIDGET_API_KEY", "CORS_ORIGIN"])
def test_what_was_forgotten_is_named(platform: Platform, forgotten: str) -> None:
    with pytest.raises(settings.SettingsFaults) as raised:
        settings_on(platform, **{forgotten: ""})

    assert set(raised.value.faults) == {forgotten}


def test_whatever_it_keeps_stands_in_the_folder_that_it_may_write(platform: Platform) -> None:
    may_write = Path("/data" if platform.is_image else "data")
    if platform.name == "host":
        may_write = Path("/var/lib/perch")
    read = settings_on(platform)
    kept = [read.spool_path, read.knowledge_path, *filter(None, [read.sqlite_path])]

    assert {path.parent for path in kept} == {may_write}


def test_no_platform_forgets_conversations_by_default(platform: Platform) -> None:
    """Where a disk does not outlive the process, it does not start without Convex."""
    if platform.in_convex:
        with pytest.raises(settings.SettingsFaults) as raised:
            settings_on(platform, **dict.fromkeys(CONVEX, ""))
        assert set(raised.value.faults) == {"CONVEX_URL"}
    else:
        assert str(settings_on(platform).sqlite_path).startswith(("/data/", "/var/lib/perch/"))


def test_answers_end_before_the_platform_kills(platform: Platform) -> None:
    assert settings_on(platform).graceful_timeout_s + MARGIN_S <= platform.stop_s


def test_its_health_check_asks_a_route_that_exists(platform: Platform) -> None:
    assert platform.health_path in ("/health", "/ready")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"RENDER": "true"}, ("Render", 2, None)),
        ({"RAILWAY_ENVIRONMENT_NAME": "production"}, ("Railway", 0, "X-Real-IP")),
        ({"FLY_APP_NAME": "perch"}, ("Fly.io", 0, "Fly-Client-IP")),
        ({"DYNO": "web.1"}, ("Heroku", 1, None)),
        ({"RENDER": "true", "TRUSTED_PROXY_HOPS": "3"}, ("Render", 3, None)),
        ({"FLY_APP_NAME": "perch", "TRUSTED_PROXY_HOPS": "1"}, ("Fly.io", 1, None)),
        (
            {"FLY_APP_NAME": "perch", "CLIENT_IP_HEADER": "CF-Connecting-IP"},
            ("Fly.io", 0, "CF-Connecting-IP"),
        ),
        ({}, (None, 0, None)),
    ],
)
def test_the_platform_tells_who_the_client_is_unless_the_owner_does(
    given: dict[str, str], expected: tuple[str | None, int, str | None]
) -> None:
    with patch.dict(os.environ, {**ANSWERS, **given}, clear=True):
        read = settings.load()

    assert (read.platform, read.trusted_proxy_hops, read.client_ip_header) == expected
    assert read.is_production is (expected[0] is not None)


def test_python_is_the_same_everywhere() -> None:
    version = (ROOT / ".python-version").read_text().strip()
    arguments, _ = dockerfile.parse(ROOT / "Dockerfile")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert arguments["PYTHON_VERSION"] == version
    assert project["requires-python"] == f">={version}"


def test_the_image_has_two_stages_no_root_and_no_volume() -> None:
    _, stages = dockerfile.parse(ROOT / "Dockerfile")

    assert len(stages) == 2
    assert all(stage.base == "python:${PYTHON_VERSION}-slim" for stage in stages)
    assert image().one("USER") == "perch"
    assert not any(stage.all("VOLUME") for stage in stages)  # Railway refuses it
    assert any("compileall" in line for line in stages[0].all("RUN"))


def test_any_user_of_group_0_may_write_the_images_data() -> None:
    (made,) = [line for line in image().all("RUN") if "/data" in line]

    assert made.endswith("install -d -o perch -g 0 -m 2775 /data")


def test_the_image_gets_all_that_it_copies_and_git_knows_it() -> None:
    _, stages = dockerfile.parse(ROOT / "Dockerfile")
    allowed = {
        line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"
    }
    wanted = {
        source
        for line in stages[0].all("COPY")
        for source in line.split()[:-1]
        if not line.startswith("--from")
    }

    assert wanted == allowed
    tracked = subprocess.run(
        ["git", "ls-files", "--error-unmatch", *wanted], cwd=ROOT, capture_output=True, check=False
    )
    assert tracked.returncode == 0, tracked.stderr


def test_compose_keeps_the_data_and_offers_a_redis() -> None:
    services = compose_yaml()["services"]

    assert services["perch"]["volumes"] == ["data:/data"]
    assert services["redis"]["profiles"] == ["redis"]
    assert "data" in compose_yaml()["volumes"]


def test_fly_points_at_what_we_listen_on() -> None:
    file = fly_toml()
    service = file["http_service"]

    assert str(service["internal_port"]) == file["env"]["PORT"]
    assert file["metrics"]["port"] == int(file["env"]["METRICS_BIND"].rpartition(":")[2])
    assert service["concurrency"]["hard_limit"] <= settings_on(PLATFORMS["fly"]()).max_streams
    assert file["env"]["SQLITE_PATH"].startswith(file["mounts"]["destination"])


def test_the_unit_has_its_three_sections_and_may_write_where_it_must() -> None:
    unit = systemd_unit()

    assert list(unit) == ["Unit", "Service", "Install"]
    assert unit["Service"]["Type"] == ["notify"]
    assert unit["Service"]["StateDirectory"] == ["perch"]
    assert unit["Service"]["ProtectSystem"] == ["strict"]


def test_the_hosts_settings_begin_with_what_is_asked_for_and_hide_nothing_of_the_unit() -> None:
    text = (ROOT / "deploy/perch.env").read_text()
    named = [line.partition("=")[0] for line in text.splitlines() if line and line[0] != "#"]

    assert set(named) == set(ANSWERS) - set(CONVEX)
    assert not set(named) & set(PLATFORMS["host"]().variables)


def test_what_compose_fixes_is_fixed_without_it_as_well() -> None:
    """``--env`` wins over the file, in which a PORT of another kind may stand."""
    (run,) = [each.text for each in blocks_of("docs/deploy/docker.md") if "docker run" in each.text]

    assert "--env-file .env --env PORT=4000" in run
    assert run.index("--publish 127.0.0.1:4000:4000") > 0


def test_nginx_understands_its_snippet(tmp_path: Path) -> None:
    checked = check_syntax(tmp_path)

    assert checked.returncode == 0, checked.stderr
    assert "test is successful" in checked.stderr


def test_proxies_neither_hold_tokens_back_nor_trust_a_client() -> None:
    nginx = SNIPPET.read_text()
    caddy = (ROOT / "deploy/Caddyfile").read_text()

    assert "proxy_buffering off;" in nginx
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in nginx
    assert "flush_interval -1" in caddy
    assert caddy.count("{") == caddy.count("}")
    assert "trusted_proxies" not in caddy
