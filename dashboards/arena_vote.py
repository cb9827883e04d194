"""Voting: two unnamed clips, one question, three buttons.

Nothing here may put a generator's name, or anything made of it, on the page: names stay in the session, on the server.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from benchmarks.arena.axes import AXES, Axis
from benchmarks.arena.pairs import Question, Slate, next_question, slate
from benchmarks.arena.votes import FILE, Choice, VoteBox, VotesError, rater_name
from benchmarks.store import Run, open_run
from dashboards.player import play_together
from dashboards.prompt import show_prompt
from dashboards.results import Stamp

EACH = "each in turn"
GOAL = 20
"""Votes on each pair of generators along an axis that make intervals worth reading."""
_RATER, _QUESTION, _PASSED, _SAID = "arena rater", "arena question", "arena passed", "arena said"


def load_slate(run: Run) -> Slate:
    """What the run offers to raters."""
    return _slate(str(run.folder.parent), run.id, run.stamp)


@st.cache_resource(max_entries=8, show_spinner="Looking for clips to compare…")
def _slate(root: str, run_id: str, stamp: Stamp) -> Slate:  # noqa: ARG001 - part of the key
    return slate(open_run(Path(root), run_id))


def voting() -> bool:
    """Whether this session has given a rater's name."""
    return _RATER in st.session_state


def show_voting(run: Run, stage: DeltaGenerator, options: DeltaGenerator) -> None:
    """The question, on the stage; which questions are asked, among the options; or why nobody can vote."""
    box = VoteBox(run.folder.parent / FILE)
    with stage:
        if not _can_vote(box):
            return
        if not voting():
            _ask_name()
            return
    rater = str(st.session_state[_RATER])
    offered = load_slate(run)
    axes = {axis.label: axis for axis in offered.axes()}
    asked = options.selectbox("Question", [EACH, *axes], key="ask", bind="query-params")
    few = len(offered.entrants(brackets=False)) < 2
    help_text = "Generators with a known place. They are asked about anyway where there is nothing else."
    brackets = options.toggle("Ceilings and floors too", value=few, key="brackets", help=help_text)
    wanted = [axes[asked]] if asked in axes else _in_turn(box, offered, list(axes.values()), rater)
    question = _question(box, offered, wanted, rater, brackets=brackets)
    with stage:
        if question is None:
            st.info("Nothing is left to ask you here: change the run or the question below, or look at the results.")
            return
        _ask(run, box, offered, question, rater)
        _show_progress(box, offered, AXES[question.axis], rater, brackets=brackets)


def _can_vote(box: VoteBox) -> bool:
    """Makes the votes file where there is none, once in a session."""
    if st.session_state.get("arena file") == str(box.path):
        return True
    try:
        box.open_for_votes()
    except VotesError as error:
        st.error("Votes cannot be stored here, so nobody can vote; the results can still be read.")
        st.text(str(error))
        return False
    st.session_state["arena file"] = str(box.path)
    return True


def show_rater() -> None:
    """Who votes in this session, and a way to change it."""
    st.text(f"You vote as {st.session_state[_RATER]}.")
    st.button("Change", on_click=_forget, type="tertiary")


def _ask_name() -> None:
    """The pseudonym, asked for once. Never from the address: a link would vote in another's name."""
    st.text("You will see two clips without knowing who made them, and say which is better, or that they are tied.")
    with st.form("rater", border=False):
        name = st.text_input(
            "Your name as a rater",
            max_chars=40,
            placeholder="a pseudonym, the same each time",
            help="Stored with each vote and shown to whoever reads the votes: choose one that is not your own name.",
        )
        if st.form_submit_button("Start", type="primary"):
            try:
                st.session_state[_RATER] = rater_name(name or "")
            except VotesError as error:
                st.text(str(error))
            else:
                st.rerun()


def _forget() -> None:
    for key in (_RATER, _QUESTION, _PASSED):
        st.session_state.pop(key, None)


def _in_turn(box: VoteBox, offered: Slate, axes: list[Axis], rater: str) -> list[Axis]:
    """The axes, least answered by this rater first."""
    counts = box.by_axis(offered.run, offered.suite_hash, rater)
    return sorted(axes, key=lambda axis: counts.get(axis.name, (0, 0))[1])


def _question(box: VoteBox, offered: Slate, axes: list[Axis], rater: str, *, brackets: bool) -> Question | None:
    """The question that stands, or the next one after an answer or another choice."""
    asked_for = (offered.run, offered.suite_hash, rater, brackets)
    stands: tuple[object, Question] | None = st.session_state.get(_QUESTION)
    if stands is not None and stands[0] == asked_for and stands[1].axis in {axis.name for axis in axes}:
        return stands[1]
    passed = st.session_state.setdefault(_PASSED, set())
    for axis in axes:
        tallies = box.tallies(offered.run, offered.suite_hash, axis.name, rater)
        skipped = {item for name, item in passed if name == axis.name}
        found = next_question(offered, tallies, axis, rater, box.secret(), brackets=brackets, passed=skipped)
        if found is not None:
            st.session_state[_QUESTION] = (asked_for, found)
            return found
    return None


def _ask(run: Run, box: VoteBox, offered: Slate, question: Question, rater: str) -> None:
    """The prompt, both clips in step, the question and its buttons."""
    axis = AXES[question.axis]
    said = st.session_state.pop(_SAID, "")
    if said:
        st.text(said)
    show_prompt(offered.prompts.get(question.case))
    if axis.kind == "identity":
        _show_portraits(offered.portraits[question.case])
    st.text(f"{axis.question} {axis.hint}")
    play_together(run.id, [question.left.file, question.right.file], height=300)
    choices: tuple[tuple[Choice, str, str], ...] = (
        ("left", "Left, A", "1"),
        ("tie", "Tie", "2"),
        ("right", "Right, B", "3"),
    )
    with st.container(horizontal=True):
        for choice, label, key in choices:
            st.button(
                label,
                key=f"vote {choice}",
                on_click=_answer,
                args=(box, question, choice, rater),
                shortcut=key,
                width="stretch",
                type="secondary" if choice == "tie" else "primary",
            )
        skip = "Ask something else; this is not stored as a vote."
        st.button("Skip", key="vote skip", on_click=_pass_over, args=(question,), type="tertiary", help=skip)


def _show_portraits(paths: tuple[Path, ...]) -> None:
    """The people asked for, decoded here, so that the browser gets pixels and nothing else."""
    from PIL import Image

    for column, path in zip(st.columns(4), paths, strict=False):
        try:
            with Image.open(path) as stored:
                portrait = stored.convert("RGB")
        except (OSError, ValueError, Image.DecompressionBombError):
            column.text("The portrait cannot be shown.")
            continue
        portrait.thumbnail((320, 320))
        column.image(portrait, width="stretch")


def _answer(box: VoteBox, question: Question, choice: Choice, rater: str) -> None:
    """Runs before the page: a second press on the same question finds it answered, and changes nothing."""
    try:
        stored = box.cast(question.answered(choice, rater))
    except VotesError as error:
        st.session_state[_SAID] = f"Your answer was not stored. {error}"
        return
    st.session_state.pop(_QUESTION, None)
    st.session_state[_SAID] = "" if stored else "You have answered that one before; your first answer stands."


def _pass_over(question: Question) -> None:
    st.session_state.setdefault(_PASSED, set()).add((question.axis, question.item))
    st.session_state.pop(_QUESTION, None)


def _show_progress(box: VoteBox, offered: Slate, axis: Axis, rater: str, *, brackets: bool) -> None:
    entrants = offered.entrants(brackets=brackets)
    tallies = box.tallies(offered.run, offered.suite_hash, axis.name, rater)
    ours = [tally for (_, _, a, b), tally in tallies.items() if a in entrants and b in entrants]
    votes, mine = sum(tally.votes for tally in ours), sum(tally.mine for tally in ours)
    goal = GOAL * len(entrants) * (len(entrants) - 1) // 2
    st.progress(min(1.0, votes / goal), text=f"{axis.label}: {votes:,} votes of {goal:,} wanted; {mine:,} are yours")
