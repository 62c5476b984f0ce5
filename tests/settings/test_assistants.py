"""More assistants: what a table of the file decides, what it shares, and what is wrong with it."""

import re
from pathlib import Path

import pytest

from app.settings import AssistantSettings, Environment, SettingsFaults, load
from app.settings.assistants import variables_of_a_table
from tests.settings.reading import GOOD_KEY, PRODUCTION

ROOT = Path(__file__).parents[2]
OTHER_KEY = GOOD_KEY[::-1]
ENVIRONMENT = {**PRODUCTION, "SHOP_KEY": OTHER_KEY}
SHOP = '[shop]\nwidget_api_key = "env:SHOP_KEY"\n'


def read(path: Path, text: str, **variables: str) -> list[AssistantSettings]:
    """Return the assistants that production has with such a file."""
    file = path / "assistants.toml"
    file.write_text(text, encoding="utf-8")
    environment = {**ENVIRONMENT, "ASSISTANTS_FILE": str(file), **variables}
    return list(load(Environment(environment)).assistants)


def faults(path: Path, text: str, **variables: str) -> dict[str, str]:
    with pytest.raises(SettingsFaults) as found:
        read(path, text, **variables)
    return found.value.faults


def test_table_is_an_assistant_behind_the_default(tmp_path: Path) -> None:
    default, shop = read(tmp_path, SHOP)

    assert (default.id, default.widget_api_keys) == ("default", (GOOD_KEY,))
    assert (shop.id, shop.widget_api_keys) == ("shop", (OTHER_KEY,))


def test_table_replaces_what_it_names_and_shares_the_rest(tmp_path: Path) -> None:
    default, shop = read(
        tmp_path,
        SHOP
        + 'cors_origin = ["https://Shop.example", "https://*.shop.example"]\n'
        + 'system_prompt = "Sell."\n'
        + 'widget_starters = ["Where is it?", "How much?"]\n'
        + "budget_tokens_per_day = 500_000\n"
        + "breaker_pause_s = 0.5\n"
        + 'openai_extra_body = { top_p = 0.5, stop = ["END"] }\n',
        SYSTEM_PROMPT="Help.",
        MAX_OUTPUT_TOKENS="700",
    )

    assert shop.origins == ("https://shop.example", "https://*.shop.example")
    assert shop.look.starters == ("Where is it?", "How much?")
    assert (shop.turns.system_prompt, default.turns.system_prompt) == ("Sell.", "Help.")
    assert (shop.budgets.service, default.budgets.service) == (500_000, 2_000_000)
    assert shop.breaker.pause_s == 0.5
    assert shop.model.extra_body == {"top_p": 0.5, "stop": ["END"]}
    assert shop.turns.max_output_tokens == default.turns.max_output_tokens == 700
    assert shop.model.api_key == "sk-live"


def test_blank_text_takes_back_what_is_shared(tmp_path: Path) -> None:
    _, shop = read(tmp_path, SHOP + 'widget_title = ""\n', WIDGET_TITLE="Help")

    assert shop.look.title is None


@pytest.mark.parametrize("variable", ["SYSTEM_PROMPT", "SYSTEM_PROMPT_FILE"])
@pytest.mark.parametrize("entry", ["system_prompt", "system_prompt_file"])
def test_text_and_its_file_replace_each_other(tmp_path: Path, variable: str, entry: str) -> None:
    (tmp_path / "theirs").write_text("Sell.")
    (tmp_path / "shared").write_text("Help.")
    of_file = {name: str(tmp_path / name) for name in ("theirs", "shared")}
    theirs = of_file["theirs"] if entry.endswith("_file") else "Sell."
    shared = of_file["shared"] if variable.endswith("_FILE") else "Help."

    _, shop = read(tmp_path, f'{SHOP}{entry} = "{theirs}"\n', **{variable: shared})

    assert shop.turns.system_prompt == "Sell."


def test_another_server_is_sent_nothing_of_the_first(tmp_path: Path) -> None:
    _, shop = read(
        tmp_path,
        SHOP + 'openai_base_url = "https://models.example/v1"\nopenai_api_key = "sk-theirs"\n',
        OPENAI_EXTRA_HEADERS='{"x-team": "ours"}',
        OPENAI_EXTRA_BODY='{"user": "us"}',
        OPENAI_REASONING_EFFORT="none",
        OPENAI_FALLBACK_MODEL="spare",
        OPENAI_FALLBACK_API_KEY="sk-spare",
    )

    model = shop.model
    assert (model.url, model.api_key) == ("https://models.example/v1", "sk-theirs")
    assert (dict(model.extra_headers), dict(model.extra_body)) == ({}, {})
    assert (model.reasoning_effort, model.has_fallback) == (None, False)


def test_first_server_named_again_keeps_its_key(tmp_path: Path) -> None:
    url = "https://models.example/v1"

    _, shop = read(tmp_path, f'{SHOP}openai_base_url = "{url}"\n', OPENAI_BASE_URL=url)

    assert shop.model.api_key == "sk-live"


@pytest.mark.parametrize(
    ("text", "name", "fault"),
    [
        ("[shop]\n", "[shop] widget_api_key", "is not set"),
        (
            f'[shop]\nwidget_api_key = "{GOOD_KEY}"\n',
            "[shop] widget_api_key",
            "is a key of default",
        ),
        (f"{SHOP}[two]\nwidget_api_key = 'env:SHOP_KEY'\n", "[two] widget_api_key", "of shop"),
        ('[shop]\nwidget_api_key = "env:NOT_SET"\n', "[shop] widget_api_key", "NOT_SET"),
        ('[shop]\nwidget_api_key = "short"\n', "[shop] widget_api_key", "has a key of 5"),
        (f'{SHOP}openai_modle = "x"\n', "[shop] openai_modle", "did you mean openai_model?"),
        (f"{SHOP}port = 4001\n", "[shop] port", "is no setting of an assistant"),
        (f"{SHOP}max_output_tokens = 0\n", "[shop] max_output_tokens", "greater than"),
        (f"{SHOP}turn_timeout_s = 2026-01-01\n", "[shop] turn_timeout_s", "is a date"),
        (f"{SHOP}cors_origin = ['*']\n", "[shop] cors_origin", "refused in production"),
        (f"{SHOP}budget_tokens_per_day = 10\n", "[shop] budget_tokens_per_day", "one turn"),
        ('[default]\nwidget_title = "x"\n', "[default]", "use another id"),
        ("['A b']\n", "[A b]", "is no id"),
        ("title = 1\n", "title", "stands in no table"),
    ],
)
def test_fault_is_told_by_table_and_entry(tmp_path: Path, text: str, name: str, fault: str) -> None:
    found = faults(tmp_path, text)

    assert list(found) == [f"assistants.toml {name}"]
    assert fault in found[f"assistants.toml {name}"]


@pytest.mark.parametrize("text", ["[shop\n", "[shop]\nwidget_title = x\n", "\x00"])
def test_file_that_is_no_toml_is_one_fault(tmp_path: Path, text: str) -> None:
    assert faults(tmp_path, text)["ASSISTANTS_FILE"].startswith("is no TOML file")


def test_file_that_is_not_there_is_one_fault() -> None:
    with pytest.raises(SettingsFaults) as found:
        load(Environment({**PRODUCTION, "ASSISTANTS_FILE": "/nowhere/assistants.toml"}))

    assert found.value.faults == {"ASSISTANTS_FILE": "cannot be read: No such file or directory"}


def test_fault_of_a_shared_variable_is_told_once_beside_those_of_the_file(tmp_path: Path) -> None:
    found = faults(tmp_path, SHOP + "heartbeat_s = -1\n", BREAKER_FAILURES="many")

    assert list(found) == ["BREAKER_FAILURES", "assistants.toml [shop] heartbeat_s"]


def test_mails_to_an_assistants_operators_need_a_server_too(tmp_path: Path) -> None:
    found = faults(tmp_path, SHOP + 'notify_email = ["me@example.com"]\n')

    assert found == {"SMTP_URL": "is needed with NOTIFY_EMAIL: the server that takes mails"}


def test_the_page_names_whatever_may_stand_in_a_table() -> None:
    page = (ROOT / "docs" / "assistants.md").read_text()
    rows = [line for line in page.splitlines() if re.match(r"\| [a-z ]+ \| `", line)]

    named = re.findall(r"`([a-z_]+)`", "".join(rows))

    assert sorted(named) == sorted(
        name.lower() for name in variables_of_a_table() if not name.endswith("_FILE")
    )
