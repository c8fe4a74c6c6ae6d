"""A survey: the steps that lead from a server of which nothing is known to a first profile."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from harness.contract.judge import OK
from harness.survey.limit import look_at_limit
from harness.survey.refusing import Refusing
from harness.survey.routes import DESCRIPTIONS, PAGES, PINGS, Route, customary, described, of_models, tensors_of
from harness.survey.understanding import understand
from harness.system.waiting import WaitedInVain, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from harness.contract.profile import Profile
    from harness.survey.asker import Asker
    from harness.survey.findings import Findings

    Say = Callable[[str], None]

_NO_ROUTE = (404, 405, 501)
_UNREAL = "/no-such-route-4f2a"
_LISTS = (("POST", "/v2/repository/index", b"{}"), ("GET", "/v2/models", None), ("GET", "/v1/models", None))
_PAUSE_S = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """Where something answers like a ping: the door (a port, or an address), the path and the status."""

    door: str
    path: str
    status: int


def find_spot(
    askers: Mapping[str, Asker], profile: Profile, *, budget_s: float, ensure_up: Callable[[], None] = lambda: None
) -> Spot | None:
    """Wait until the likeliest ping that there is gets 200, and return where; None where nothing answers at all.

    `ensure_up` is called again and again, and raises where there is nothing left to wait for.
    """
    paths, seen = tuple(dict.fromkeys((profile.http.ping_path, *PINGS))), list[Spot]()

    def look() -> Spot | None:
        ensure_up()
        seen[:] = sorted(_spots(askers, paths), key=lambda spot: paths.index(spot.path))
        there = [spot for spot in seen if spot.status not in _NO_ROUTE]
        return there[0] if there and there[0].status == OK else None

    try:
        return wait_for(look, subject="a ping", budget_s=budget_s, pause_s=_PAUSE_S)
    except WaitedInVain:
        there = [spot for spot in seen if spot.status not in _NO_ROUTE]
        return next((spot for spot in there if spot.status == OK), next(iter([*there, *seen]), None))


def survey(
    asker: Asker, spot: Spot, findings: Findings, say: Say = lambda _: None, *, is_somebody_elses: bool = False
) -> None:
    """Find out what a server takes, how it answers and how it refuses.

    Where it is somebody else's, no window goes to a route that is no customary one: nobody knows what it would do.
    """
    _keep_ping(spot, findings)
    say("looking for the route that predicts")
    named, pages = _described(asker)
    known = [*_of_models(asker), *customary(findings.profile.http.invocations_path)]
    routes = list(_there(asker, _merged(known, named, only_known=is_somebody_elses)))
    if not understand(asker, routes, findings):
        _say_not_understood(asker, routes, findings)
        return
    _others(asker, pages, findings)
    say("sending requests that are to be refused")
    Refusing(asker=asker, findings=findings).look()
    look_at_limit(asker, findings)
    findings.leave_open("C12 to C18, and P2 to P7 beyond single windows: not looked at; the gate's suites do")


def _spots(askers: Mapping[str, Asker], paths: Sequence[str]) -> Iterator[Spot]:
    for door, asker in askers.items():
        for path in paths:
            answer = asker.ask("GET", path)
            if answer is None:
                break  # nobody is in
            yield Spot(door=door, path=path, status=answer.status)


def _keep_ping(spot: Spot, findings: Findings) -> None:
    findings.find("http.ping_path", spot.path, f"GET got {spot.status}")
    if spot.status != OK:
        findings.leave_open(f"`http.ping_path`: no customary one gets 200; {spot.path} gets {spot.status}")
    elif spot.path == "/":
        findings.how["http.ping_path"] += "; no customary ping is there, and a page at the root says little"


def _of_models(asker: Asker) -> list[Route]:
    """Ask for the models that are served, as multi-model servers tell them."""
    answers = [asker.ask(method, path, body=body, kind="application/json") for method, path, body in _LISTS]
    found = [
        route for answer in answers if answer is not None and answer.status == OK for route in of_models(answer.body)
    ]
    return [_with_tensors(asker, route) for route in dict.fromkeys(found)]


def _with_tensors(asker: Asker, route: Route) -> Route:
    """Ask what inputs a model has, where its server tells."""
    answer = asker.ask("GET", route.metadata_path) if route.metadata_path is not None else None
    return replace(route, tensors=tensors_of(answer.body)) if answer is not None and answer.status == OK else route


def _described(asker: Asker) -> tuple[list[Route], list[str]]:
    """Read the server's own descriptions, where it has any."""
    routes: list[Route] = []
    pages: list[str] = []
    for path in DESCRIPTIONS:
        answer = asker.ask("GET", path)
        if answer is not None and answer.status == OK:
            posts, others = described(answer.body)
            routes, pages = [*routes, *posts], [*pages, *others]
    return routes, pages


def _merged(known: Sequence[Route], named: Sequence[Route], *, only_known: bool) -> list[Route]:
    """Return each route once, those by custom first, with what the server says of it."""
    told = {route.path: route for route in named}
    ours = {
        route.path: replace(told.get(route.path, route), is_v2=route.is_v2, tensors=route.tensors) for route in known
    }
    return [*ours.values(), *(route for path, route in told.items() if path not in ours and not only_known)]


def _there(asker: Asker, routes: Sequence[Route]) -> Iterator[Route]:
    """Yield the routes that take a POST: what gets another answer than a path that is none."""
    unreal = _poke(asker, _UNREAL)
    for route in routes:
        status = _poke(asker, route.path)
        if status is not None and status != unreal and status not in _NO_ROUTE:
            yield route


def _poke(asker: Asker, path: str) -> int | None:
    answer = asker.ask("POST", path, body=b"{}", kind="application/json")
    return answer.status if answer is not None else None


def _others(asker: Asker, pages: Sequence[str], findings: Findings) -> None:
    """Name the other routes that the server has: no check may take them for unknown."""
    http = findings.profile.http
    unreal = asker.ask("GET", _UNREAL)
    if unreal is None or unreal.status == OK:
        return
    paths = dict.fromkeys((*PINGS, *PAGES, *DESCRIPTIONS, *pages))
    asked = {path: asker.ask("GET", path) for path in paths if path not in (http.ping_path, http.invocations_path)}
    found = tuple(path for path, answer in asked.items() if answer is not None and answer.status != unreal.status)
    if found:
        findings.find("http.other_paths", found, "they are there too")


def _say_not_understood(asker: Asker, routes: Sequence[Route], findings: Findings) -> None:
    if not routes:
        findings.leave_open("`http.invocations_path`: no customary route takes a POST; name it in a base profile")
        return
    told = asker.ask("POST", routes[0].path, body=b"{}", kind="application/json")
    said = f"; to `{{}}` POST {routes[0].path} says {told.status} {told.body[:160]!r}" if told is not None else ""
    tried = ", ".join(route.path for route in routes)
    wanted = "".join(f"; {route.path} wants {', '.join(map(str, route.tensors))}" for route in routes if route.tensors)
    none = "of all ways to write one, none was answered with a prediction at"
    findings.leave_open(f"`window`: {none} {tried}{wanted}{said}")
