"""Reward models: what they learn, pay, keep and refuse."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from hypothesis import given, settings
from hypothesis import strategies as st

from reward_synth.errors import NothingUsableError, RunConflictError, UsageError
from reward_synth.intrinsic.annotation import (
    AnnotationService,
    Decoding,
    Label,
    Rule,
    RuleAnnotator,
)
from reward_synth.intrinsic.annotation.prompt import identity
from reward_synth.intrinsic.models import (
    Characters,
    ClassificationModel,
    ComparedLabels,
    EpisodeCounts,
    LabelledRewards,
    NGrams,
    Observed,
    RankingModel,
    RetrievalModel,
    Seen,
    about_model,
    learn_offline,
    load_model,
    pair_prompt,
    pair_text,
    save_model,
)
from tests.intrinsic.conftest import until
from tests.llm.server import Behaviour, FaultServer, Good, Received

KEYS = ["You see here a key.", "You unlock the door.", "a rusty key", "unlock it"]
OTHERS = ["It is dark here.", "You hit the rat.", "You stop.", "It's solid stone."]
RULES = RuleAnnotator([Rule("key|unlock", "helpful")], otherwise="unhelpful")


def known(*worths: float) -> list[Label]:
    return [Label("known", value=worth) for worth in worths]


def made(kind: str, encoder: Any = None) -> Any:
    if kind == "retrieval":
        return RetrievalModel()
    fast: dict[str, Any] = {"seed": 0, "rate": 0.03}
    encoder = encoder or NGrams(512, 16)
    return {"classification": ClassificationModel, "ranking": RankingModel}[kind](
        encoder, **fast
    )


def taught(kind: str, encoder: Any = None) -> Any:
    """Return a model that has learned that keys are good and all else is not."""
    model = made(kind, encoder)
    if kind == "ranking":
        pairs = [(a, b) for a in KEYS for b in OTHERS]
        first, second = (Seen(list(side)) for side in zip(*pairs, strict=True))
        for _ in range(4):
            model.fit_pairs(first, second, known(*[1.0] * len(pairs)))
            first, second = Seen([]), Seen([])
            pairs = []
        return model
    texts = Seen([*KEYS, *OTHERS])
    model.fit(texts, known(*[1.0] * 4, *[0.0] * 4))
    for _ in range(3):
        model.fit(Seen([]), [])
    return model


@pytest.mark.parametrize("encoder", [NGrams, lambda: Characters(64, layers=2)])
def test_a_classifier_tells_what_was_never_labelled(encoder: Any) -> None:
    """Captions that share words with labelled ones get their labels, as guesses; the
    retrieval of the same labels has nothing to say about them."""
    fresh = Seen(["You see here a golden key.", "You hit the newt, it is dark."])
    model = taught("classification", encoder())
    labels = model.judge(fresh)
    assert [(x.status, x.value) for x in labels] == [
        ("predicted", 1.0),
        ("predicted", 0.0),
    ]
    assert [x.status for x in taught("retrieval").judge(fresh)] == ["pending"] * 2


def test_a_classifier_pays_nothing_below_its_threshold() -> None:
    """With the threshold above what the model believes, even the likeliest label is
    paid 0; just below it, it is paid in full."""
    model = taught("classification")
    (label,) = model.judge(Seen([KEYS[0]]))
    assert 0.5 < label.confidence < 1
    model.threshold = label.confidence
    assert model.judge(Seen([KEYS[0]]))[0].value == 0.0
    model.threshold = math.nextafter(label.confidence, 0)
    assert model.judge(Seen([KEYS[0]]))[0].value == 1.0


def test_abstentions_and_failures_teach_nothing() -> None:
    """An annotator that cannot tell, or could not be asked, has not said "unhelpful"."""
    odd = [Label("abstained"), Label("failed"), Label("pending")]
    texts = Seen(["a", "b", "c"])
    classifier, ranking = made("classification"), made("ranking")
    assert classifier.fit(texts, odd).examples == 0
    assert ranking.fit_pairs(texts, texts, odd).examples == 0
    for model in (classifier, ranking):
        assert [x.status for x in model.judge(texts)] == ["pending"] * 3


def test_a_ranking_obeys_bradley_and_terry() -> None:
    """Where a won 3 of 4 comparisons with b, r(a) - r(b) becomes log(3 / 1); where two
    are always tied, they become equal."""
    model = RankingModel(NGrams(64, 8), seed=0, rate=0.05, enough=0.0, steps=200)
    first = Seen(["aa", "aa", "aa", "aa", "cc"])
    second = Seen(["bb", "bb", "bb", "bb", "dd"])
    model.fit_pairs(first, second, known(1.0, 1.0, 1.0, 0.0, 0.5))
    a, b, c, d = model.raw(Seen(["aa", "bb", "cc", "dd"]))
    assert a - b == pytest.approx(math.log(3), abs=0.02)
    assert c - d == pytest.approx(0.0, abs=0.02)


@given(
    st.lists(st.sampled_from([*KEYS, *OTHERS]), min_size=2, max_size=30),
    st.floats(-2, 2),
)
@settings(max_examples=25, deadline=None)
def test_a_ranking_pays_normalised_scores_above_the_threshold(
    stream: list[str], threshold: float
) -> None:
    """Paid is r_n where r_n > eps and else 0, with r_n in deviations of all steps that
    were scored: never r itself."""
    model = RANKING
    model.threshold = threshold
    model.moments = type(model.moments)()
    model.judge(Seen(stream[:1]), learning=True)
    paid = [x.value for x in model.judge(Seen(stream), learning=True)]
    raw = model.raw(Seen(stream))
    every = np.append(raw, raw[0])
    spread = every.std() if every.std() > 1e-8 else 1.0
    scaled = (raw - every.mean()) / spread
    sure = np.abs(scaled - threshold) > 1e-6
    wanted = np.where(scaled > threshold, scaled, 0.0)
    np.testing.assert_allclose(np.array(paid)[sure], wanted[sure], atol=1e-5)


RANKING = taught("ranking")


def test_evaluation_does_not_move_a_rankings_scale() -> None:
    """Scoring without learning leaves the running moments as they are."""
    model = taught("ranking")
    model.judge(Seen([*KEYS, *OTHERS]), learning=True)
    before = model.moments.state()
    model.judge(Seen([KEYS[0]] * 50))
    for name, value in model.moments.state().items():
        np.testing.assert_array_equal(value, before[name])


def test_models_read_boxes_and_dicts() -> None:
    """Equal captions with unlike observations are told apart by a model that reads
    them; the keys that it is given are all that it reads."""
    rng = np.random.default_rng(0)
    side = rng.choice([0.0, 1.0], 64)
    rows = {"x": 1e3 + side[:, None], "noise": rng.normal(size=(64, 2))}
    space = spaces.Dict(
        {"x": spaces.Box(0, 2e3, (1,)), "noise": spaces.Box(-9, 9, (2,))}
    )
    model = made("classification", Observed.of(space, ("x",)))
    model.fit(Seen(["same"] * 64, rows), known(*side))
    other = Seen(
        ["same"] * 2, {"x": np.array([[1e3], [1e3 + 1]]), "noise": np.ones((2, 2))}
    )
    assert [x.value for x in model.judge(other)] == [0.0, 1.0]
    with pytest.raises(UsageError, match="received captions alone"):
        model.judge(Seen(["same"]))


@pytest.mark.parametrize("kind", ["retrieval", "classification", "ranking"])
def test_a_saved_model_judges_alike(kind: str, tmp_path: Path) -> None:
    """A model that was saved and loaded gives the same labels, and tells in its head
    what it was asked and what it learned from."""
    model = taught(kind)
    model.question = RULES.question()
    texts = Seen([*KEYS, *OTHERS])
    model.judge(texts, learning=True)
    wanted = [label.value for label in model.judge(texts)]
    about = save_model(model, tmp_path / "model.safetensors")
    again = load_model(tmp_path / "model.safetensors", RULES.question())
    assert [label.value for label in again.judge(texts)] == wanted
    assert again.data() == about.data == model.data()
    assert about_model(tmp_path / "model.safetensors") == about
    assert about.question == RULES.question()


def test_what_was_learned_from_is_told_whatever_its_order() -> None:
    """The digest of the data depends on captions and labels, not on when they came."""
    one, two, other = (made("classification") for _ in range(3))
    one.fit(Seen(["a", "b"]), known(1.0, 0.0))
    two.fit(Seen(["b"]), known(0.0))
    two.fit(Seen(["a"]), known(1.0))
    other.fit(Seen(["a", "b"]), known(1.0, 1.0))
    assert one.data() == two.data() != other.data()


def test_a_model_of_another_prompt_is_refused(tmp_path: Path) -> None:
    """Neither loading for another question nor pairing with another annotator mixes
    what two prompts said; the difference is named."""
    file = tmp_path / "model.safetensors"
    model = taught("classification")
    model.question = identity(pair_prompt("win"), Decoding("tiny"))
    save_model(model, file)
    with pytest.raises(RunConflictError, match="goal is 'win' there and 'live' here"):
        load_model(file, identity(pair_prompt("live"), Decoding("tiny")))
    with pytest.raises(RunConflictError, match="Labels are never mixed"):
        LabelledRewards(AnnotationService(RULES), load_model(file, None))


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    """A flipped bit in the numbers, a text, and no file are each told as what they are."""
    file = tmp_path / "model.safetensors"
    save_model(taught("classification"), file)
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    with pytest.raises(UsageError, match="was changed after it was written"):
        load_model(file, None)
    file.write_text("no model")
    with pytest.raises(UsageError, match="is no reward model"):
        load_model(file, None)
    with pytest.raises(UsageError, match="There is no file"):
        load_model(tmp_path / "none", None)


@pytest.mark.parametrize("kind", ["retrieval", "classification", "ranking"])
def test_a_model_learns_online_from_the_services_answers(kind: str) -> None:
    """Watching captions and updating is enough: soon keys are paid more than the rest,
    by labels, by guesses, or by pairs alone."""
    annotator: Any = ComparedLabels(RULES) if kind == "ranking" else RULES
    rewards = LabelledRewards(AnnotationService(annotator), made(kind), power=0.0)
    rewards.watch(Seen([*KEYS[:3], *OTHERS]))
    for _ in range(4):
        fit = rewards.update()
    assert fit is not None
    assert fit.examples == (7 * 6 // 2 if kind == "ranking" else 7)
    new = "unlock it" if kind != "retrieval" else KEYS[0]
    good, bad = rewards.pay(Seen([new, OTHERS[0]]), [1, 1])
    assert good > bad


def test_labels_win_over_guesses_and_abstentions_are_honoured() -> None:
    """A caption that the annotator labelled is paid that; one it abstained from nothing,
    whatever the model would guess; only the rest is guessed."""
    rules = RuleAnnotator(
        [Rule("fake", "unhelpful"), Rule("maybe", "unsure"), Rule("key", "helpful")]
    )
    service = AnnotationService(rules)
    model = taught("classification")
    rewards = LabelledRewards(service, model)
    service.submit(["a fake key", "maybe a key"])
    labels = rewards.judge(Seen(["a fake key", "maybe a key", "a new key"]))
    assert [(x.status, x.value) for x in labels] == [
        ("known", 0.0),
        ("abstained", None),
        ("predicted", 1.0),
    ]
    assert rewards.worth(labels, [1, 1, 1]).tolist() == [0.0, 0.0, 1.0]


def test_late_labels_pay_steps_that_were_taken_before() -> None:
    """Steps taken while a label is hidden are paid by it once it is published."""
    service = AnnotationService(RULES, visible="at_publish")
    rewards = LabelledRewards(service)
    steps = Seen([KEYS[0]] * 3)
    rewards.watch(steps)
    assert rewards.pay(steps, [1, 2, 3]).tolist() == [0.0, 0.0, 0.0]
    rewards.update()
    np.testing.assert_allclose(rewards.pay(steps, [1, 2, 3]), [1, 1 / 8, 1 / 27])


def test_a_frozen_source_asks_and_learns_nothing() -> None:
    """In evaluation no caption is submitted and no example added."""
    service = AnnotationService(RULES)
    rewards = LabelledRewards(service, made("classification"))
    rewards.frozen = True
    rewards.watch(Seen(KEYS))
    assert rewards.update() is None
    assert service.metrics().steps == 0


def better(received: Received) -> Behaviour:
    """Play a model that prefers texts with a key in them."""
    asked = json.loads(received.body["messages"][1]["content"])
    pair = json.loads(asked)
    one, other = ("key" in pair[side] for side in ("first", "second"))
    word = "tie" if one == other else ("first" if one else "second")
    return Good(json.dumps({"label": word}))


def test_pairs_are_asked_of_a_model_like_captions(tmp_path: Path) -> None:
    """A ranking learns from pairs that a server judged; each pair is asked about once."""
    from reward_synth.intrinsic.annotation import ModelAnnotator

    texts = ["a key", "a rat", "a newt", "the key"]
    with FaultServer(better) as server:
        annotator = ModelAnnotator(
            pair_prompt("Find it."), Decoding("tiny"), tmp_path, server.url, "sk-x"
        )
        with AnnotationService(annotator) as service:
            rewards = LabelledRewards(service, made("ranking"), power=0.0)
            rewards.watch(Seen(texts))
            rewards.update()
            until(lambda: service.metrics().known == 6)
            fit = rewards.update()
            for _ in range(4):
                rewards.update()
            assert len(server.received) == 6
    assert fit is not None
    assert fit.examples == 6
    key, rat, newt, other = rewards.model.raw(Seen(texts))
    assert min(key, other) > max(rat, newt)


def test_a_pair_is_compared_by_its_captions_worth() -> None:
    """Rules compare what they label; where they abstain about one, so about the pair."""
    annotator = ComparedLabels(RuleAnnotator(RULES.rules))
    assert annotator.judge_now(pair_text("a key", "unlock")).value == 0.5
    assert annotator.judge_now(pair_text("a key", "a rat")).status == "abstained"


@given(st.lists(st.tuples(st.sampled_from("ab"), st.booleans()), max_size=40))
def test_counts_begin_anew_with_each_episode(steps: list[tuple[str, bool]]) -> None:
    """A step's count is how often its caption stood in the episode up to it."""
    counts, episode = EpisodeCounts(1), ""
    for text, ended in steps:
        episode += text
        assert counts([text], [ended]).item() == episode.count(text)
        episode = "" if ended else episode


def test_a_record_is_asked_about_once_also_after_a_break(tmp_path: Path) -> None:
    """Offline learning goes on where it was broken: all pairs together are asked about
    once, in the same order of the same seed; equal records give equal models."""
    from reward_synth.intrinsic.annotation import ModelAnnotator

    texts = ["a key", "a rat", "a newt", "the key", "a key", "a wall"]

    def learn(server: FaultServer, tell: Any = None) -> Any:
        annotator = ModelAnnotator(
            pair_prompt("Find it."), Decoding("tiny"), tmp_path, server.url, "sk-x"
        )
        model = made("ranking")
        with AnnotationService(annotator) as service:
            learn_offline(model, texts, service, chunk=3, held_out=0.0, tell=tell)
        return model

    def stop(done: int, total: int) -> None:
        assert total == 5 * 4 // 2
        if done >= 6:
            raise KeyboardInterrupt

    with FaultServer(better) as server:
        with pytest.raises(KeyboardInterrupt):
            learn(server, stop)
        assert len(server.received) == 6
        one = learn(server)
        assert len(server.received) == 10
        two = learn(server)
        assert len(server.received) == 10
    assert one.data() == two.data()
    for name, value in one.state().items():
        np.testing.assert_array_equal(value, two.state()[name])
    assert one.question["goal"] == "Find it."


def test_held_out_questions_teach_nothing() -> None:
    """What the model is tried on is none of what it learned from, and the share is about
    the one that was asked for."""
    texts = [f"{word} {n}" for n in range(150) for word in ("key", "rat")]
    model = made("classification")
    told = learn_offline(model, texts, AnnotationService(RULES), held_out=0.25)
    assert (told.asked, told.learned + told.held_out) == (300, 300)
    assert 45 <= told.held_out <= 105  # 75 expected, deviation 7.5
    assert model.fit(Seen([]), []).examples == told.learned
    assert told.accuracy > 0.95


def test_a_record_without_labels_is_refused() -> None:
    """Where the annotator abstained from everything there is nothing to learn."""
    mute = AnnotationService(RuleAnnotator([]))
    with pytest.raises(NothingUsableError, match="None of 2 questions"):
        learn_offline(made("classification"), ["a", "b"], mute)
    with pytest.raises(UsageError, match="holds no observations"):
        learn_offline(made("classification", Observed(1)), ["a"], mute)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: ClassificationModel(seed=0, worths=(1.0,)),
        lambda: ClassificationModel(seed=0, threshold=1.0),
        lambda: RankingModel(seed=0, threshold=math.nan),
        lambda: RankingModel(seed=0, rate=0.0),
        lambda: NGrams(buckets=0),
        lambda: Observed(0),
        lambda: Seen(["a", "b"], np.zeros((3, 1))),
        lambda: LabelledRewards(AnnotationService(RULES), power=-1.0),
        lambda: made("classification").fit(Seen(["a"]), known(0.25)),
        lambda: made("ranking").fit_pairs(Seen(["a"]), Seen(["b"]), known(2.0)),
    ],
)
def test_what_cannot_be_is_refused(wrong: Any) -> None:
    """Settings and labels out of range raise an error that names the value."""
    with pytest.raises(UsageError, match=r"\d|nan"):
        wrong()
