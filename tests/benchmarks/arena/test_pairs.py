"""What a rater is asked next: balanced, never twice, blind as to sides, and only what can be asked."""

from collections import Counter
from dataclasses import replace

import pytest

from benchmarks.arena.axes import AXES
from benchmarks.arena.pairs import Clip, Slate, next_question, slate
from benchmarks.arena.votes import Tally
from benchmarks.store import open_run

TEXT, SOUND, FACE = AXES["text_alignment"], AXES["sound_quality"], AXES["face_similarity"]
NAMES = ("a", "b", "c", "top")


def clip(name, case, sound=True):
    return Clip(f"{name}-{case}", f"{name}-{case}.mp4", sound)


@pytest.fixture
def offered():
    clips = {(f"case-{n}", 0): {name: clip(name, n, name != "c") for name in NAMES} for n in range(6)}
    prompts = {case: "p" for case, _ in clips}
    return Slate("a-run", "0" * 64, NAMES, frozenset({"top"}), clips, prompts, {})


def vote_all(offered, axis, raters, votes, **options):
    """Let raters answer in turn; the questions in order."""
    tallies, asked = {}, []
    for number in range(votes):
        rater = raters[number % len(raters)]
        mine = {item: Tally(len(who), rater in who) for item, who in tallies.items()}
        question = next_question(offered, mine, axis, rater, "secret", **options)
        if question is None:
            break
        tallies.setdefault(question.item, []).append(rater)
        asked.append((rater, question))
    return asked, tallies


def test_pairs_of_generators_are_asked_about_equally_often(offered):
    for votes in (9, 18):
        asked, _ = vote_all(offered, TEXT, ["ann"], votes)
        assert set(Counter(question.item[2:] for _, question in asked).values()) == {votes // 3}


def test_nobody_is_asked_twice_and_all_is_asked_in_the_end(offered):
    asked, _ = vote_all(offered, TEXT, ["ann"], 100)
    items = [question.item for _, question in asked]
    assert len(items) == len(set(items)) == offered.possible(TEXT, brackets=False) == 18


def test_ceilings_and_floors_only_when_asked_for(offered):
    asked, _ = vote_all(offered, TEXT, ["ann"], 100)
    assert all("top" not in question.item for _, question in asked)
    asked, _ = vote_all(offered, TEXT, ["ann"], 100, brackets=True)
    assert len(asked) == offered.possible(TEXT, brackets=True) == 36


def test_what_others_have_begun_comes_before_what_nobody_has_seen(offered):
    _, tallies = vote_all(offered, TEXT, ["ann", "bob", "cy"], 27)
    assert sorted(len(who) for who in tallies.values()) == [3] * 9


def test_the_side_is_drawn_by_lot(offered):
    asked, _ = vote_all(offered, TEXT, ["ann", "bob", "cy", "dee"], 72)
    straight = sum(question.left_generator < question.right_generator for _, question in asked)
    assert 22 <= straight <= 50
    again, _ = vote_all(offered, TEXT, ["ann", "bob", "cy", "dee"], 72)
    assert again == asked


def test_another_secret_asks_in_another_order_on_other_sides(offered):
    one = next_question(offered, {}, TEXT, "ann", "secret")
    others = {next_question(offered, {}, TEXT, "ann", f"secret {n}") for n in range(12)}
    assert len(others - {one}) > 6


def test_two_clips_that_are_the_same_file_are_no_question(offered):
    same = {key: {**clips, "b": clips["a"]} for key, clips in offered.clips.items()}
    asked, _ = vote_all(replace(offered, clips=same), TEXT, ["ann"], 100)
    assert {question.item[2:] for _, question in asked} == {("a", "c"), ("b", "c")}
    assert replace(offered, clips=same).possible(TEXT, brackets=False) == 12


def test_sound_is_asked_about_where_both_have_it_and_faces_where_there_is_a_portrait(offered):
    asked, _ = vote_all(offered, SOUND, ["ann"], 100)
    assert {question.item[2:] for _, question in asked} == {("a", "b")}
    assert next_question(offered, {}, FACE, "ann", "secret") is None
    assert {axis.kind for axis in offered.axes()} == {"picture", "sound"}
    with_portrait = replace(offered, portraits={"case-2": ()})
    assert next_question(with_portrait, {}, FACE, "ann", "secret").case == "case-2"
    assert {axis.kind for axis in with_portrait.axes()} == {"picture", "sound", "identity"}


def test_what_was_passed_over_is_not_asked_again(offered):
    first = next_question(offered, {}, TEXT, "ann", "secret")
    second = next_question(offered, {}, TEXT, "ann", "secret", passed={first.item})
    assert second.item != first.item


def test_the_slate_of_a_run_holds_what_can_be_played(small_runs):
    found = slate(open_run(small_runs, "tiny-run"))
    assert len(found.clips) == 16
    assert "cedar-mini" not in found.clips["case-4", 0]
    assert found.brackets == {"oracle", "noise"}
    assert found.clips["case-1", 0]["brook"].sound
    assert not found.portraits


def test_a_portrait_outside_the_run_is_not_there(small_runs, tmp_path):
    from types import SimpleNamespace

    from benchmarks.arena.pairs import _portraits

    (tmp_path / "references").mkdir()
    (tmp_path / "references" / "inside.png").write_bytes(b"x")
    (tmp_path / "references" / "link.png").symlink_to(tmp_path.parent / "outside.png")
    (tmp_path.parent / "outside.png").write_bytes(b"x")
    cases = [
        SimpleNamespace(id=name, references={"portrait": f"{name}.png", "source": "gone.mp4"})
        for name in ("inside", "link", "gone")
    ]
    run = SimpleNamespace(folder=tmp_path, manifest=SimpleNamespace(parsed_suite=lambda: SimpleNamespace(cases=cases)))
    assert list(_portraits(run)) == ["inside"]


def test_a_question_becomes_a_vote(offered):
    question = next_question(offered, {}, TEXT, "ann", "secret")
    vote = question.answered("tie", "ann")
    assert {vote.left_generator, vote.right_generator} == set(question.item[2:])
    assert (vote.left_clip, vote.right_clip) == (question.left.sha256, question.right.sha256)
    assert (vote.run, vote.axis, vote.choice, vote.rater) == ("a-run", "text_alignment", "tie", "ann")
    assert vote.id != question.answered("tie", "ann").id
