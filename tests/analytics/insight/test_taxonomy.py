"""A taxonomy file: what is read, and one clear line for everything that is wrong."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.errors import ActRefused
from analytics.insight.taxonomy import check_taxonomy, read_taxonomy, split_examples


def write(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    file = folder / "taxonomy.csv"
    file.write_bytes(text.encode(encoding))
    return file


def test_rows_are_read_in_file_order(tmp_path: Path) -> None:
    text = (
        "Name,criterion,examples,parent\n"
        "Late parcel,It came too late.,came late | a week too late,Delivery\n"
        '"Refund, slow",,"still no money\nwhere is my refund",\n'
        "\n"
        'Login,,"[""a | b"", ""cannot log in""]",Account\n'
    )
    assert read_taxonomy(write(tmp_path, text)).rows() == [
        ("Late parcel", "It came too late.", ["came late", "a week too late"], "Delivery"),
        ("Refund, slow", None, ["still no money", "where is my refund"], None),
        ("Login", None, ["a | b", "cannot log in"], "Account"),
    ]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_and_a_byte_order_mark(tmp_path: Path, separator: str) -> None:
    text = separator.join(["name", "examples"]) + "\n" + separator.join(["Größe", "zu klein, zu eng"]) + "\n"
    themes = read_taxonomy(write(tmp_path, text, "utf-8-sig"))
    assert themes.select("name", "examples").rows() == [("Größe", ["zu klein, zu eng"])]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("title\nx\n", "has no column name"),
        ("name,example\nx,y\n", "column 'example' is not known"),
        ("name,name\nx,y\n", "column 'name' is there 2 times"),
        ("name,\nx,y\n", "a column has no name"),
        ("name\n", "has no rows"),
        ("name,parent\n,Money\n", "row 1: name is empty"),
        (f"name\n{'x' * 81}\n", "row 1: name has 81 characters and may have 80"),
        ("name\nRefund\n REFUND \n", "row 2: 'REFUND' is the name of row 1 too"),
        (f"name,criterion\nx,{'y' * 301}\n", "row 1: criterion has 301 characters and may have 300"),
        (f"name,examples\nx,{'y' * 1001}\n", "row 1: an example has 1,001 characters and may have 1,000"),
        (f"name,examples\nx,{'|'.join(map(str, range(51)))}\n", "row 1: has 51 examples and may have 50"),
        ('name,examples\nx,"[""a"", 1]"\n', "row 1: examples begin like a JSON list"),
        ("name,examples\nx,a,b\n", "row 1: has 3 cells under 2 columns"),
        ("name,parent\na,B\nb,\n", "row 1: parent 'B' is the name of row 2"),
        ("name,parent\na,A\n", "row 1: parent 'A' is the name of row 1"),
        ('name\n"open\n', "is not CSV"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, message: str) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ActRefused) as refused:
        read_taxonomy(file)
    (line,) = str(refused.value).splitlines()
    assert line.startswith(f"{file}: ")
    assert message in line


def test_every_wrong_cell_has_a_line_of_its_own(tmp_path: Path) -> None:
    text = 'name,examples\n,"[""a"\nok,b\nok,c\n'
    with pytest.raises(ActRefused) as refused:
        read_taxonomy(write(tmp_path, text))
    lines = str(refused.value).splitlines()
    assert [line.split(": ")[1] for line in lines] == ["row 1", "row 1", "row 3"]


def test_a_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(ActRefused, match="there is no such file"):
        read_taxonomy(tmp_path / "none.csv")
    with pytest.raises(ActRefused, match="cannot be read"):
        read_taxonomy(tmp_path)
    with pytest.raises(ActRefused, match="is not UTF-8"):
        read_taxonomy(write(tmp_path, "name\nGröße\n", "latin-1"))


def test_right_rows_are_given_beside_what_is_wrong() -> None:
    themes, problems = check_taxonomy([["name"], ["a"], [""], ["b"]])
    assert themes["name"].to_list() == ["a", "b"]
    assert len(problems) == 1


words = st.text(st.characters(exclude_characters="|[", exclude_categories=["C", "Z"]), min_size=1, max_size=5)


@given(st.lists(words, max_size=6, unique=True))
def test_examples_come_back_from_every_way_of_writing_them(examples: list[str]) -> None:
    assert split_examples(" | ".join(examples)) == examples
    assert split_examples("\n".join(examples)) == examples


def test_a_bracket_in_an_example_is_no_list() -> None:
    assert split_examples("[sic] it broke | x") == ["[sic] it broke", "x"]
    assert split_examples("[]") == []
