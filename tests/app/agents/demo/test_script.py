"""Scripts: what a person may write, and what they are told about a mistake."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from app.agents.demo.errors import ScriptError
from app.agents.demo.script import (
    DEFAULT_SCRIPT,
    MISBEHAVING,
    RESOURCES,
    Script,
    find_script,
    load_script,
    shipped_scripts,
)
from app.agents.demo.speech import load_speeches

Write = Callable[[str], Path]

SPOKEN = """
[[greeting]]
id = "hello"
text = "Hello."
[[reply]]
id = "yes"
text = "Yes."
"""


def test_the_shipped_script_says_what_its_comments_promise(shipped: Script) -> None:
    assert len(shipped.replies) >= 6
    assert shipped.agent.id == "demo"
    assert all(line.audio and line.audio.is_file() for line in shipped.lines)


def test_settings_left_out_have_the_values_that_the_shipped_script_shows(
    shipped: Script, write_script: Write
) -> None:
    script = load_script(write_script(SPOKEN))
    assert (script.agent, script.timing, script.behaviour) == (
        shipped.agent,
        shipped.timing,
        shipped.behaviour,
    )


def test_the_scripts_with_a_fault_are_all_that_ship_beside_the_default_one() -> None:
    there = {path.stem for path in RESOURCES.glob("*.toml")}
    assert there == set(shipped_scripts())
    assert shipped_scripts()[0] == "default"


@pytest.mark.parametrize("name", MISBEHAVING)
def test_a_script_with_a_fault_has_its_own_id_and_needs_no_espeak(
    name: str, shipped: Script
) -> None:
    script = load_script(find_script(name))
    assert script.agent.id == f"demo-{name}"
    assert script.behaviour != shipped.behaviour
    assert all(line.audio is not None for line in script.lines)
    assert all(speech.true_timing for speech in load_speeches(script).values())


def test_a_script_is_found_by_name_and_by_path(tmp_path: Path, write_script: Write) -> None:
    assert find_script("") == find_script("default") == DEFAULT_SCRIPT
    assert find_script("stops-late").name == "stops-late.toml"
    own = write_script(SPOKEN)
    assert find_script(str(own)) == own
    assert find_script(tmp_path / "not-there-yet.toml") == tmp_path / "not-there-yet.toml"
    with pytest.raises(ScriptError, match="there are default, hears-itself, stops-late"):
        find_script("stops-never")


def test_settings_are_taken_over(write_script: Write) -> None:
    script = load_script(
        write_script("[timing]\npace = 2\n[behaviour]\nnever_yields = true\n" + SPOKEN)
    )
    assert script.timing.pace == 2.0
    assert script.behaviour.never_yields


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        ("[timing\n", 1, "not valid TOML"),
        ("[timing]\nchunk_ms = \n", 2, "not valid TOML"),
        ("[timing]\nchunk_ms = 250\nchunk_ms = 250\n" + SPOKEN, 3, "not valid TOML"),
        ("a = 'unclosed", 1, "not valid TOML"),
        ("# speed\n[timing]\n\nspeed = 3\n" + SPOKEN, 4, "'speed' is not known in [timing]"),
        ("[voice]\n" + SPOKEN, 1, "'voice' is not known"),
        ("\nloud = 3\n" + SPOKEN, 2, "'loud' is not known"),
        ("[timing]\nchunk_ms = '250'\n" + SPOKEN, 2, "chunk_ms must be a whole number"),
        ("[timing]\nchunk_ms = 2.5\n" + SPOKEN, 2, "chunk_ms must be a whole number"),
        ("[timing]\nchunk_ms = true\n" + SPOKEN, 2, "chunk_ms must be a whole number"),
        ("[timing]\npace = 0.5\n" + SPOKEN, 2, "pace is 0.5, but must lie between 1 and 1000"),
        ("[timing]\npace = nan\n" + SPOKEN, 2, "must lie between"),
        ("[behaviour]\nnever_yields = 1\n" + SPOKEN, 2, "never_yields must be true or false"),
        ("timing = 3\n" + SPOKEN, 1, "timing must be a table"),
        ("timing.pase = 3\n" + SPOKEN, 1, "'pase' is not known"),
        ("[agent]\nid = 'a b'\n" + SPOKEN, 2, "id must be letters"),
        (SPOKEN.replace("[[reply]]", "[reply]"), 5, "must be written as [[reply]]"),
        ("[[greeting]]\nid = 'hi'\ntext = 'Hi.'\n", 1, "at least one [[reply]] is needed"),
        (SPOKEN + "[[reply]]\ntext = 'More.'\n", 8, "id is missing"),
        (SPOKEN + "[[reply]]\nid = 'more'\ntext = ' '\n", 10, "text is missing"),
        (SPOKEN + "[[reply]]\nid = 'yes'\ntext = 'Yes.'\n", 9, "the id 'yes' is used twice"),
        (SPOKEN + "[[reply]]\nid = 'no'\ntext = 3\n", 10, "text must be a text"),
        (SPOKEN + "[[reply]]\nid = 'no'\ntext = 'No.'\nfile = 'x'\n", 11, "'file' is not known"),
        (SPOKEN + "audio = 'missing.ogg'\n", 8, "there is no file 'missing.ogg'"),
        (SPOKEN + "audio = '../../../../etc/passwd'\n", 8, "there is no file"),
        (SPOKEN + "audio = '/etc/passwd'\n", 8, "there is no file"),
        (SPOKEN + 'audio = "a\\u0000b"\n', 8, "there is no file"),
        ("x = " + "[" * 5000, 0, "nested too deeply"),
        (f"x = '''\n[timing]\n{'y'}'''\n[timing]\nspeed = 1\n" + SPOKEN, 1, "'x' is not known"),
        ('[agent]\nname = """\nspeed = 1\n"""\nspeed = 1\n' + SPOKEN, 5, "'speed' is not known"),
    ],
)
def test_a_fault_is_refused_with_its_line(
    write_script: Write, content: str, line: int, said: str
) -> None:
    path = write_script(content)
    with pytest.raises(ScriptError) as refused:
        load_script(path)
    assert refused.value.line == line
    assert said in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_script_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"none\.toml: it cannot be read"):
        load_script(tmp_path / "none.toml")


def test_a_script_in_another_encoding_is_refused_with_the_line(tmp_path: Path) -> None:
    path = tmp_path / "script.toml"
    path.write_bytes(b"# one\n[agent]\nname = '\xff'\n")
    with pytest.raises(ScriptError, match="line 3: it is not UTF-8"):
        load_script(path)


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "script.toml"
    path.write_bytes(b"#" * 1_000_000)
    with pytest.raises(ScriptError, match="larger than 256 KiB"):
        load_script(path)


def test_a_link_out_of_the_folder_is_not_followed(write_script: Write, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-outside.ogg"
    outside.write_bytes(b"")
    (tmp_path / "link.ogg").symlink_to(outside)
    with pytest.raises(ScriptError, match=r"there is no file 'link\.ogg'"):
        load_script(write_script(SPOKEN + "audio = 'link.ogg'\n"))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no such pipes")
def test_a_pipe_is_no_script_for_opening_it_would_wait_for_ever(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "script.toml")
    with pytest.raises(ScriptError, match="it is not a file"):
        load_script(tmp_path / "script.toml")
