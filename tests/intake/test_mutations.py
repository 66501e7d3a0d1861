"""Intake refuses what decoders refuse, for thousands of damaged headers."""

from __future__ import annotations

import os

from tests.intake.mutations import campaign

COUNT, SEED = int(os.environ.get("MUTATIONS", "2000")), int(os.environ.get("MUTATIONS_SEED", "1"))


def test_intake_and_decoders_agree() -> None:
    outcome = campaign(COUNT, SEED)
    assert not [(each.source, each.change, said) for each, said in outcome.refused_though_it_decodes]
    assert not [(each.source, each.change) for each, _ in outcome.passed_though_it_does_not]
    assert min(outcome.agreed["passed"], outcome.agreed["refused"]) > COUNT / 4
