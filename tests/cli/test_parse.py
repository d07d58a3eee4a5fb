import json

from click.testing import CliRunner

from rrsis_core.cli.parse import parse


def test_json_holds_the_query_and_what_the_model_is_asked():
    run = CliRunner().invoke(parse, ["--json", "the second largest blue tank within 50 m of the rivers"])
    body = json.loads(run.output)
    assert body["ok"] and (body["target"], body["attributes"], body["number"]) == ("tank", ["blue"], "one")
    assert (body["position"], body["superlative"]) == (None, "largest")
    assert body["ordinal"] == {"rank": 2, "side": None}
    assert (body["relations"][0]["kind"], body["relations"][0]["amount"]) == ("within", 50.0)
    assert body["relations"][0]["landmarks"][0]["target"] == "river"
    assert body["local"] == ["the blue tanks", "the rivers"] and body["needs_scene"]
    assert body["unread"] == body["unknown"] == body["corrected"] == []


def test_the_tree_names_slots_slips_and_what_nobody_knows():
    text = CliRunner().invoke(parse, ["the first grey bulding from the left, except near a zorple"]).output
    assert {"  target: building", "  attributes: gray", "  ordinal: 1 from left"} <= set(text.splitlines())
    assert {"  except:", "    relation: near"} <= set(text.splitlines())
    assert "bulding was read as building" in text and "not in the lexicon: zorple" in text


def test_of_one_thing_all_of_its_kind_are_asked_of_the_model():
    run = CliRunner().invoke(parse, ["--json", "the white building"])
    assert json.loads(run.output)["local"] == ["the white buildings"]
    assert "the phrase as it is" in CliRunner().invoke(parse, ["the white buildings"]).output
