"""The page Arena without a browser: blind voting, what is stored, what the votes say, and what is said without them."""

import shutil

import pytest

from benchmarks.arena.votes import FILE, VoteBox


@pytest.fixture
def runs(small_runs, tmp_path):
    root = tmp_path / "runs"
    shutil.copytree(small_runs, root)
    return root


@pytest.fixture
def vote_page(open_page):
    """vote_page(runs, "ann", …): the page after a rater has given a name."""

    def go(runs, name, /, **query):
        app = open_page("arena.py", runs, **query)
        app.text_input[0].input(name)
        press(app, "Start")
        return app

    return go


def press(app, label):
    next(button for button in app.button if button.label == label).click()
    app.run()
    assert not app.exception, app.exception
    return app


def labels(app):
    return [button.label for button in app.button]


def texts(app):
    return "\n".join(element.value for element in app.text)


def votes(runs):
    return VoteBox(runs / FILE).votes("tiny-run")


def everything(node):
    """All that the server sends to the browser, as one text."""
    children = getattr(node, "children", {}).values()
    return "\n".join([str(getattr(node, "proto", "")), *(everything(child) for child in children)])


def test_a_name_is_asked_for_first_and_a_bad_one_is_refused(open_page, runs):
    app = open_page("arena.py", runs)
    assert labels(app) == ["Start"]
    app.text_input[0].input("<b>ann</b>")
    press(app, "Start")
    assert "1 to 40 letters" in texts(app)
    assert "Tie" not in labels(app)


def test_a_vote_is_stored_and_the_next_question_comes(vote_page, runs):
    app = vote_page(runs, "ann")
    assert "You vote as ann." in texts(app)
    assert {"Left, A", "Tie", "Right, B", "Skip"} <= set(labels(app))
    for number, label in enumerate(["Left, A", "Tie", "Right, B", "Left, A"], 1):
        press(app, label)
        assert len(votes(runs)) == number
    kept = votes(runs)
    assert kept["choice"].tolist() == ["left", "tie", "right", "left"]
    assert set(kept["rater"]) == {"ann"}
    assert kept["axis"].nunique() == 4, "each question in turn"


def test_a_second_press_on_the_same_question_changes_nothing(vote_page, runs):
    from dashboards.arena_vote import _answer

    app = vote_page(runs, "ann")
    _, question = app.session_state["arena question"]
    box = VoteBox(runs / FILE)
    _answer(box, question, "left", "ann")
    press(app, "Right, B")
    assert votes(runs)["choice"].tolist() == ["left"]


def test_nothing_sent_to_the_browser_names_a_generator(vote_page, runs, small_generators):
    app = vote_page(runs, "ann", ask="Realness")
    for _ in range(6):
        sent = everything(app._tree)
        assert "/play/tiny-run" in sent, "the check must see the player's address"
        assert "Which clip looks more like real footage?" in sent
        for name in small_generators:
            assert name not in sent
        press(app, "Tie")
    assert len(votes(runs)) == 6


def test_ceilings_and_floors_are_left_out_unless_asked_for(vote_page, runs):
    app = vote_page(runs, "ann", ask="Realness")
    for _ in range(8):
        press(app, "Tie")
    assert not {"oracle", "noise"} & (set(votes(runs)["left_generator"]) | set(votes(runs)["right_generator"]))
    app.toggle[0].set_value(True).run()
    # Which pair is asked next is drawn; that a bracket is not in it 40 times running is not.
    for _ in range(40):
        press(app, "Tie")
        last = votes(runs).iloc[-1]
        if {"oracle", "noise"} & {last["left_generator"], last["right_generator"]}:
            return
    pytest.fail("no ceiling and no floor was asked for")


def test_skipping_stores_nothing_and_asks_something_else(vote_page, runs):
    app = vote_page(runs, "ann", ask="Realness")
    _, before = app.session_state["arena question"]
    press(app, "Skip")
    _, after = app.session_state["arena question"]
    assert after.item != before.item
    assert votes(runs).empty


def test_changing_the_rater_asks_for_a_name_again(vote_page, runs):
    app = press(vote_page(runs, "ann"), "Change")
    assert "Tie" not in labels(app)
    assert app.text_input


def test_a_link_cannot_vote_in_anothers_name_or_ask_what_there_is_not(vote_page, open_page, runs):
    app = open_page("arena.py", runs, rater="ann", ask="<b>charm</b>", view="everything")
    assert labels(app) == ["Start"]
    app = vote_page(runs, "bob", ask="<b>charm</b>", rater="ann")
    press(app, "Tie")
    assert votes(runs)["rater"].tolist() == ["bob"]


def test_prompts_are_only_text(vote_page, runs, hostile):
    app = vote_page(runs, "ann")
    for _ in range(40):
        if hostile[0] in texts(app):
            break
        press(app, "Skip")
    assert hostile[0] in texts(app)
    for element in [*app.markdown, *app.caption, *app.subheader, *app.info, *app.warning]:
        assert "tracker" not in str(getattr(element, "value", ""))


def test_where_votes_cannot_be_stored_the_page_says_so(open_page, runs):
    (runs / FILE).mkdir()
    app = open_page("arena.py", runs)
    assert "cannot be stored here" in app.error[0].value
    assert not app.text_input


def test_results_show_strengths_net_wins_and_metrics(vote_page, open_page, runs, small_generators):
    app = vote_page(runs, "ann", ask="Realness")
    for number in range(30):
        press(app, ("Left, A", "Tie", "Right, B")[number % 3])
    app = open_page("arena.py", runs, view="results")
    assert "30 votes" in texts(app)
    strengths, pairs, metrics = (frame.value for frame in app.dataframe[:3])
    contenders = {name for name, (bracket, _) in small_generators.items() if not bracket}
    assert set(strengths["Generator"]) == contenders
    assert pairs[["Wins", "Ties", "Losses"]].to_numpy().sum() == 30
    assert {"total", "steadiness", "blockiness"} <= set(metrics["Metric"])
    assert "Tie" not in labels(app)


def test_no_votes_and_no_runs_say_what_to_do(open_page, runs, tmp_path):
    app = open_page("arena.py", runs, view="results")
    assert "No votes on this run yet" in app.info[0].value
    (tmp_path / "empty").mkdir()
    assert "No runs yet" in open_page("arena.py", tmp_path / "empty").info[0].value
