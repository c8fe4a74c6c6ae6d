"""Judge a load record: the budget as a statistic, every rule that holds under load, PASSED, FAILED or UNKNOWN. Pure."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.contract.judge import OK, UNAVAILABLE, Violation
from harness.load.answers import Wrong, wrong_answers, wrong_refusals
from harness.load.figures import cpu_share, figures, kind_of, lag_p99_s, latencies_of, stalls_of
from harness.load.finding import LoadJudgement, finding_of, unknown
from harness.load.share import Share

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.contract.profile import Profile
    from harness.load.figures import Latencies, Stall
    from harness.load.finding import Finding
    from harness.load.record import Attempt, LoadRecord

_SHOWN = 3
# A schedule of which less than this share was sent was not the load that was promised.
_SENT_LEAST = 0.99


def judge_load(record: LoadRecord, profile: Profile) -> LoadJudgement:
    """Judge a record against a profile; the warm-up is told of, and does not count."""
    invocations, broken, pings = (record.of_kind(kind) for kind in ("invocation", "broken", "ping"))
    wrong = wrong_answers(record.plan, invocations, profile)
    let_through = wrong_refusals(record.plan, broken, profile)
    spoiled = _spoiled(record, len(invocations) + len(broken))
    over = _over_budget(invocations, wrong, record, profile)
    findings = (
        judge_latency(over, latencies_of(invocations), profile, spoiled),
        _errors(invocations, wrong, spoiled),
        *([_refusals(broken, let_through)] if profile.load.broken_share else []),
        _deadline([*invocations, *broken], profile),
        _pings(pings, profile, spoiled),
        _accepts([*invocations, *broken, *pings], profile, spoiled, stalls_of(record)),
    )
    return LoadJudgement(
        findings={finding.subject: finding for finding in findings},
        spoiled=spoiled,
        over_budget=over,
        figures=figures(record, {id(found.attempt) for found in (*wrong, *let_through)}),
    )


def _spoiled(record: LoadRecord, sent: int) -> tuple[str, ...]:
    """Say what about the generator, or the machine, makes the moments in a record worthless."""
    limits, lag_s, cpu = record.plan.limits, lag_p99_s(record), cpu_share(record)
    due = record.plan.rate_per_s * record.counted_s
    ours = [one for one in record.attempts if one.outcome == "ours"]
    reasons = {
        f"the generator's lag: p99 {lag_s * 1000:.1f} ms, over {limits.lag_p99_s * 1000:g} ms": lag_s
        > limits.lag_p99_s,
        f"the generator's CPU: {cpu:.0%} of a core, over {limits.cpu_share:.0%}": cpu > limits.cpu_share,
        f"the generator sent {sent} of {due:g} requests": record.plan.profile.load.arrivals == "constant"
        and sent < due * _SENT_LEAST - 1,
        f"{len(ours)} requests failed on our side: {ours[0].detail if ours else ''}": bool(ours),
    }
    return tuple(reason for reason, applies in reasons.items() if applies)


def _over_budget(invocations: Sequence[Attempt], wrong: Sequence[Wrong], record: LoadRecord, profile: Profile) -> Share:
    not_right = {id(found.attempt) for found in wrong}
    hits = sum(one.status != OK or one.latency_s > profile.http.budget_s or id(one) in not_right for one in invocations)
    return Share(hits=hits, of=len(invocations), confidence=record.plan.limits.confidence)


def judge_latency(over: Share, latencies: Latencies, profile: Profile, spoiled: Sequence[str]) -> Finding:
    """Judge whether the share over the budget keeps its limit, with the share's confidence."""
    if spoiled:
        return unknown("latency", spoiled)
    limit, told = profile.load.over_budget_share, _told(over, profile, latencies)
    is_within = over.is_within(limit)
    if is_within is None:
        more = over.more_needed(limit)
        way_out = f"needs {more} more requests" if more else "no number of requests decides at this share"
        return unknown("latency", [f"{told}: {way_out}"])
    expected = f"at most {limit:.2%} of requests over {profile.http.budget_s:g} s from their due moment"
    broken = [] if is_within else [Violation(rule="P7", expected=expected, actual=told)]
    return finding_of("latency", broken)


def _told(over: Share, profile: Profile, found: Latencies) -> str:
    return (
        f"{over.hits} of {over.of} ({over.observed:.2%}) were over {profile.http.budget_s:g} s or wrong; "
        f"with {over.confidence:.0%} confidence at least {over.lower:.2%}, at most {over.upper:.2%}; "
        f"p50 {found.p50_s:.4f} s, p99 {found.p99_s:.4f} s, longest {found.longest_s:.4f} s"
    )


def _errors(invocations: Sequence[Attempt], wrong: Sequence[Wrong], spoiled: Sequence[str]) -> Finding:
    """Judge "and no errors": a generator that lagged sent bursts, which excuse a 503 and nothing else."""
    failed = [one for one in invocations if one.outcome in ("answered", "refused", "closed", "timed out")]
    failed = [one for one in failed if one.status != OK]
    overload = [one for one in failed if one.status == UNAVAILABLE]
    counted = [one for one in failed if one not in overload] if spoiled else failed
    broken = []
    if counted or wrong:
        kinds = Counter([kind_of(one) for one in counted] + ["wrong answer"] * len({id(w.attempt) for w in wrong}))
        actual = f"{_counted(kinds)} of {len(invocations)}{_examples(counted)}"
        broken = [Violation(rule="P7", expected="a right answer to every valid request", actual=actual)]
    by_rule = {found.violation.rule: found.violation for found in reversed(wrong)}
    broken += list(by_rule.values())
    return finding_of("errors", broken) if broken or not spoiled else unknown("errors", spoiled)


def _refusals(broken: Sequence[Attempt], let_through: Sequence[Wrong]) -> Finding:
    """Judge what was broken on purpose: one example of each rule that was not kept, and how often it was not."""
    if not broken:
        return unknown("refusals", ["no broken request was sent"])
    times = Counter(found.violation.rule for found in let_through)
    firsts = {found.violation.rule: found.violation for found in reversed(let_through)}
    counted = {rule: f"{times[rule]} of {len(broken)} broken requests: {firsts[rule].actual}" for rule in firsts}
    return finding_of("refusals", [replace(firsts[rule], actual=counted[rule]) for rule in sorted(firsts)])


def _deadline(invocations: Sequence[Attempt], profile: Profile) -> Finding:
    hung = [one for one in invocations if one.outcome == "timed out"]
    bare = [one for one in invocations if one.status == UNAVAILABLE and not (one.retry_after or "").strip().isdigit()]
    promises = {
        f"an answer or a close within {profile.http.hang_s:g} s": hung,
        "`Retry-After` in whole seconds with a 503": bare,
    }
    broken = [
        Violation(rule="C13", expected=promise, actual=f"{len(found)} of {len(invocations)} without{_examples(found)}")
        for promise, found in promises.items()
        if found
    ]
    return finding_of("deadline", broken)


def _pings(pings: Sequence[Attempt], profile: Profile, spoiled: Sequence[str]) -> Finding:
    not_ok = [one for one in pings if one.status != OK and one.outcome != "ours"]
    late = [one for one in pings if one.status == OK and one.latency_s > profile.http.ping_s and not spoiled]
    broken = [
        Violation(rule="C3", expected=promise, actual=f"{len(found)} of {len(pings)} were not{_examples(found)}")
        for promise, found in {
            "a ping that is 200 under load": not_ok,
            f"a ping within {profile.http.ping_s:g} s under load": late,
        }.items()
        if found
    ]
    if broken:
        return finding_of("ping", broken)
    return unknown("ping", spoiled or ["no ping was sent"]) if spoiled or not pings else finding_of("ping", [])


def _accepts(attempts: Sequence[Attempt], profile: Profile, spoiled: Sequence[str], stalls: Sequence[Stall]) -> Finding:
    """Judge new connections: those of the pings, and those that the load had to open; not while we stood still."""
    refused = [one for one in attempts if one.outcome == "refused"]
    made = [one for one in attempts if one.connect_s is not None]
    slow = [one for one in made if (one.connect_s or 0) > profile.http.accept_s and not spoiled]
    slow = [one for one in slow if not any(stall.covers_connecting(one) for stall in stalls)]
    if refused or slow:
        longest_s = max((one.connect_s or 0 for one in made), default=0.0)
        actual = f"{len(refused)} refused, {len(slow)} of {len(made)} later, the longest {longest_s:.3f} s"
        promise = f"new connections accepted within {profile.http.accept_s:g} s under load"
        return finding_of("accept", [Violation(rule="C16", expected=promise, actual=actual)])
    if spoiled or not made:
        return unknown("accept", spoiled or ["no new connection was made"])
    return finding_of("accept", [])


def _counted(kinds: Counter[str]) -> str:
    return ", ".join(f"{number} {kind}" for kind, number in sorted(kinds.items()))


def _examples(attempts: Sequence[Attempt]) -> str:
    shown = [f"at {one.due_s:.3f} s {kind_of(one)} {one.detail or one.body[:80]}".rstrip() for one in attempts[:_SHOWN]]
    return f": {'; '.join(shown)}" if shown else ""
