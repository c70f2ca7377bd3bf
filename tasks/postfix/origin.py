"""What somebody has set in main.cf and master.cf beside us, since they were as before the first run. Pure."""

from collections.abc import Iterable, Iterator, Mapping

from tasks.postfix.configuration import FIELDS, OWN, Change, Configuration, Postconf


def additions(origin: Postconf, current: Postconf, ours: Configuration) -> list[Change]:
    """Tell what is to be set in what was there before the first run, so that all that is not ours is kept.

    What says what we wanted is ours, also where it was something else before; what differs from both is
    somebody's, who has set it since.

    :param origin: what was there before the first run
    :param current: what is there now
    :param ours: what the last run wanted
    :returns: in the order in which postconf(1) has to be told
    """
    return [
        *_parameters(origin["main"], current["main"], ours),
        *_others_services(origin, current, ours),
        *_columns(origin["services"], current["services"], ours),
        *_options(origin, current, ours),
    ]


def _parameters(
    origin: Mapping[str, str], current: Mapping[str, str], ours: Configuration
) -> Iterator[Change]:
    names = [name for name in dict.fromkeys([*origin, *current]) if not name.startswith(OWN)]
    yield from _theirs("-e", "-X", "", names, origin, current, ours.parameters)


def _others_services(origin: Postconf, current: Postconf, ours: Configuration) -> Iterator[Change]:
    """Find entries that are somebody's whole: no run has touched them, or they came or went since."""
    for key in dict.fromkeys([*origin["entries"], *current["entries"]]):
        before, now = origin["entries"].get(key), current["entries"].get(key)
        if before == now or (key in _touched(ours) and not _is_anew(key, before, current, ours)):
            continue
        yield Change("-MX", key, before, None) if now is None else Change("-M", key, before, now)


def _touched(ours: Configuration) -> set[str]:
    return {*ours.services, *ours.options}


def _is_anew(key: str, before: str | None, current: Postconf, ours: Configuration) -> bool:
    """Tell whether an entry that a run has touched is another's since: removed, or another daemon's."""
    service, now = ours.services.get(key), current["services"].get(key)
    if service is None:
        return now is not None and before is None
    return before is not None if now is None else now[-1] != service.command


def _columns(
    origin: Mapping[str, list[str]], current: Mapping[str, list[str]], ours: Configuration
) -> Iterator[Change]:
    for key, service in ours.services.items():
        before, now = origin.get(key), current.get(key)
        if not (service and before and now) or now[-1] != service.command:
            continue
        columns = service.columns()
        if before[-1] != service.command:  # another daemon's entry was replaced whole
            columns = {name: value or "-" for name, value in columns.items()}
        wanted = {name: value for name, value in columns.items() if value is not None}
        said = dict(zip(FIELDS, before, strict=True)), dict(zip(FIELDS, now, strict=True))
        yield from _theirs("-F", "", f"{key}/", FIELDS, *said, wanted)


def _options(origin: Postconf, current: Postconf, ours: Configuration) -> Iterator[Change]:
    for key in _touched(ours) & origin["services"].keys() & current["services"].keys():
        service = ours.services.get(key)
        if service and current["services"][key][-1] != service.command:
            continue
        before, now = origin["options"].get(key, {}), current["options"].get(key, {})
        wanted = {**dict.fromkeys(ours.parameters), **ours.options.get(key, {})}
        yield from _theirs("-P", "-PX", f"{key}/", dict.fromkeys([*before, *now]), before, now, wanted)


def _theirs(
    put: str,
    remove: str,
    prefix: str,
    names: Iterable[str],
    before: Mapping[str, str],
    now: Mapping[str, str],
    ours: Mapping[str, str | None],
) -> Iterator[Change]:
    for name in names:
        was, there = before.get(name), now.get(name)
        if was == there or (name in ours and there == ours[name]):
            continue
        yield Change(remove if there is None else put, prefix + name, was, there)
