"""docs/parameters.md lists the parameters of the template, with their defaults."""

import re

from conftest import ROOT


def rows() -> list[list[str]]:
    lines = (ROOT / "docs/parameters.md").read_text().splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| `")]


def test_every_parameter_has_one_row(template):
    named = [name for name, *_ in rows()]
    assert named == [f"`{name}`" for name in template["Parameters"]]


def test_defaults_are_those_of_the_template(template):
    for name, default, *_ in rows():
        expected = template["Parameters"][name.strip("`")]["Default"]
        assert default == (f"`{expected}`" if expected != "" else ""), name


def test_environment_variables_are_those_of_the_functions(template):
    variables = {}
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            variables |= resource["Properties"]["Environment"]["Variables"]
    variables |= template["Globals"]["Function"]["Environment"]["Variables"]
    expected = {f"`{value['Ref']}`": name for name, value in variables.items() if value in [{"Ref": one} for one in template["Parameters"]]}
    found = {
        name: variable
        for name, _, text in rows()
        for variable in re.findall(r"\(`([A-Z_]+)`\)", text)
    }
    assert found == expected
