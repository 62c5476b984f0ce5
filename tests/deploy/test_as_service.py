"""``deploy/as_service.py``: what systemd gives the service, understood without systemd."""

from pathlib import Path

import pytest

from deploy.as_service import (
    enter_folder,
    parse_environment_file,
    read_environment,
    read_service,
)

# What systemd 252 itself makes of each (30-systemd-environment-d-generator has the same reader).
ENVIRONMENT_FILE = r"""# comment
; another
A=plain value  
B="quoted \"in\" \\ \n \$x \`y # z"  
C='single \ "dq" $HOME'  
D=a"b"c'd'
E="x" y 'z'
F=esc\ aped\ 
G=line\
 two
H="multi
line"
 I = spaced 
export J=1
K=
L=a # not a comment; $(touch here)
M=tail \  
N='un' \'t
1bad=x
no assignment
O=ünï
P="a\
b"
Q="not closed
"""  # noqa: W291


def test_a_file_is_read_as_systemd_reads_it() -> None:
    variables, passed_over = parse_environment_file(ENVIRONMENT_FILE)

    lines = [ENVIRONMENT_FILE.splitlines()[number - 1] for number in passed_over]
    assert lines == ["export J=1", "1bad=x", "no assignment"]
    assert variables == {
        "A": "plain value",
        "B": r'quoted "in" \ \n $x `y # z',
        "C": r"""single \ "dq" $HOME""",
        "D": """a"b"c'd'""",
        "E": "xy 'z'",
        "F": "esc aped ",
        "G": "line two",
        "H": "multi\nline",
        "I": "spaced",
        "K": "",
        "L": "a # not a comment; $(touch here)",
        "M": "tail  ",
        "N": "un't",
        "O": "ünï",
        "P": "ab",
        "Q": "not closed\n",
    }


def unit(folder: Path, text: str, **drop_ins: str) -> str:
    """Write a unit with its drop-ins; return the path that leads to it."""
    (folder / "perch.service.d").mkdir(parents=True, exist_ok=True)
    (folder / "perch.service").write_text(text)
    for name, more in drop_ins.items():
        (folder / "perch.service.d" / f"{name}.conf").write_text(more)
    return str(folder)


def test_files_win_over_the_units_lines_and_drop_ins_over_the_unit(tmp_path: Path) -> None:
    (tmp_path / "perch.env").write_text("A=file\nX=file\n")
    path = unit(
        tmp_path / "etc",
        "[Unit]\nEnvironment=NOT=this\n[Service]\n# Environment=NOR=this\n"
        "Environment=A=unit B=unit \"C=two words\" 'D=100%%'\nEnvironment=E=unit\n"
        f"EnvironmentFile={tmp_path}/perch.env\nEnvironmentFile=-{tmp_path}/absent\n",
        one="[Service]\nEnvironment=B=drop-in\n",
        two="[Service]\nEnvironment=F=one \\\n  G=two\n",
    )

    assert read_environment(read_service(path)) == {
        "A": "file", "B": "drop-in", "C": "two words", "D": "100%", "E": "unit", "F": "one",
        "G": "two", "X": "file",
    }  # fmt: skip


def test_an_empty_line_of_a_drop_in_takes_back_what_stood_before(tmp_path: Path) -> None:
    text = "[Service]\nEnvironment=A=unit\nEnvironmentFile=/nowhere\n"
    again = "[Service]\nEnvironmentFile=\nEnvironment=\nEnvironment=B=1\n"

    assert read_environment(read_service(unit(tmp_path, text, again=again))) == {"B": "1"}


def test_the_first_folder_with_the_unit_is_meant(tmp_path: Path) -> None:
    first = unit(tmp_path / "etc", "[Service]\nEnvironment=A=etc\n", same="[Service]\nUser=etc\n")
    second = unit(tmp_path / "lib", "[Service]\nEnvironment=A=lib\n", same="[Service]\nUser=lib\n")

    service = read_service(f"{tmp_path}/none:{first}:{second}")

    assert service == {"Environment": ["A=etc"], "User": ["etc"]}


def test_no_unit_and_no_file_are_sentences(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"There is no perch\.service in"):
        read_service(str(tmp_path))
    with pytest.raises(SystemExit, match="cannot be read: No such file or directory"):
        read_environment({"EnvironmentFile": [str(tmp_path / "absent")]})


def test_lines_that_systemd_passes_over_are_named_and_not_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "env").write_text("A=1\n\n# export B=2\nexport SECRET=abc\nSECRET: abc\n")
    path = unit(tmp_path, f"[Service]\nEnvironmentFile={tmp_path}/env\n")

    assert read_environment(read_service(path)) == {"A": "1"}

    assert capsys.readouterr().err == (
        f"{tmp_path}/env: systemd passes over line 4, 5: write NAME=value\n"
    )


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("A=1 'B=2 3\" C=4", {"A": "1"}),
        ('A=1 B="2', {"A": "1"}),
        ("A=1 B=2\\", {"A": "1"}),
        (r"A=1 B=\q C=3", {"A": "1"}),
        (r'"A=a\tb\x41\101\u00fc\xc3\xbc" B=it\'s', {"A": "a\tbAAüü", "B": "it's"}),
        (r"A=1 B=\x00 C=3", {"A": "1"}),
        (r"A=1 B=\U00110000 C=3", {"A": "1"}),
        (r"B=\xff C=\ud800 1D=1 =2 E F=", {"F": ""}),
        ('A=a\'b c\'"d" B=""', {"A": "ab cd", "B": ""}),
    ],
)
def test_of_a_line_all_is_taken_up_to_what_systemd_cannot_read(
    line: str, expected: dict[str, str]
) -> None:
    assert read_environment({"Environment": [line]}) == expected


def test_what_is_not_utf8_harms_where_it_is_a_value(tmp_path: Path) -> None:
    comment, value = tmp_path / "comment", tmp_path / "value"
    comment.write_bytes(b"# Schl\xfcssel\nA=1\n")
    value.write_bytes(b"A=2\nB=Schl\xfcssel\n")
    wide = tmp_path / "wide"
    wide.write_bytes("A=3\n".encode("utf-16-le"))

    assert read_environment({"EnvironmentFile": [str(comment)]}) == {"A": "1"}
    for path in (value, wide):
        assert read_environment({"EnvironmentFile": [str(comment), f"-{path}"]}) == {"A": "1"}
        with pytest.raises(SystemExit, match="is not UTF-8 text"):
            read_environment({"EnvironmentFile": [str(path)]})


def test_unit_whose_comments_are_not_utf8_is_read(tmp_path: Path) -> None:
    path = unit(tmp_path, "")
    (tmp_path / "perch.service").write_bytes(
        b"[Service]\n# f\xfcr uns\nEnvironment=A=1\nEnvironment=B=\xfc\n"
    )

    assert read_service(path) == {"Environment": ["A=1"]}


def test_a_pattern_names_all_files_in_order(tmp_path: Path) -> None:
    (tmp_path / "2.env").write_text("A=2\nB=2\n")
    (tmp_path / "1.env").write_text("A=1\nC=1\n")

    found = read_environment({"EnvironmentFile": [f"{tmp_path}/*.env", f"-{tmp_path}/*.none"]})

    assert found == {"A": "2", "B": "2", "C": "1"}
    with pytest.raises(SystemExit, match="cannot be read"):
        read_environment({"EnvironmentFile": [f"{tmp_path}/*.none"]})


def test_a_folder_that_may_be_missing_is_no_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()

    enter_folder({"WorkingDirectory": ["/nowhere", f"-{tmp_path}/there"]})
    assert Path.cwd() == tmp_path / "there"
    enter_folder({"WorkingDirectory": ["-/nowhere"]})
    assert Path.cwd() == Path("/")
    with pytest.raises(SystemExit, match="cannot be entered"):
        enter_folder({"WorkingDirectory": ["/nowhere"]})
