"""What participants print, made fit to be shown."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.logs import readable


@pytest.mark.parametrize(
    ("printed", "shown"),
    [
        (b"", ""),
        (b"plain\ttext\n", "plain\ttext\n"),
        (b"\x1b[1;31mred\x1b[0m \x1b[2J\x1b[Hhome", "red home"),
        (b"\x1b]0;a title\x07after \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "after link"),
        (b"\x1b]52;never ended", ""),
        (b"lost \x1b]0;never ended\nkept\x1bP too\r\nand \x1b]0;broken\x1b[31m off", "lost \nkept\nand  off"),
        (b"\x1bcreset \x1b(Bset", "reset set"),
        (b"10 %\r50 %\r\n100 %", "10 %\n50 %\n100 %"),
        (b"bell\a back\b nul\0 del\x7f c1\xc2\x9b31m", "bell back nul del c131m"),
        ("turned \u202e round \u2066 and \u200b hidden".encode(), "turned  round  and  hidden"),
        (b"half of \xc3 and \xff", "half of \ufffd and \ufffd"),
        ("ünï 日本 😀".encode(), "ünï 日本 😀"),
    ],
)
def test_text_is_kept_and_what_acts_on_a_screen_is_not(printed, shown):
    assert readable(printed) == shown


@given(st.binary(max_size=300))
def test_whatever_was_printed_nothing_acts_on_a_screen(printed):
    kinds = {unicodedata.category(letter) for letter in readable(printed) if letter not in "\n\t"}
    assert not kinds & {"Cc", "Cf", "Zl", "Zp"}
