"""Lines of plain text about files, uploads, projects and settings; the words are those of `wording`. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from tui_uploader.cli.output import Style
from tui_uploader.model.engine import Bandwidth, EngineStatus, Link, LinkState
from tui_uploader.model.files import FileItem, Proof
from tui_uploader.model.projects import ProcessingState, Project, ProjectKind
from tui_uploader.model.results import ProjectResult
from tui_uploader.model.states import FileStatus, UploadState
from tui_uploader.model.uploads import Notice, UploadStatus
from tui_uploader.model.verification import VerificationState
from tui_uploader.model.watches import WatchState
from tui_uploader.text import byte_count, counted, printable
from tui_uploader.wording.amounts import byte_rate
from tui_uploader.wording.bandwidth import (
    budget_setting,
    budget_too_small,
    budget_used,
    in_force,
    limit_setting,
    schedule_setting,
)
from tui_uploader.wording.files import ASCII_GLYPHS, GLYPHS, copied, original, other_name, reason, verification
from tui_uploader.wording.hooks import hook_failure
from tui_uploader.wording.link import next_try, offline_since
from tui_uploader.wording.notices import explained
from tui_uploader.wording.processing import processing_sentence, project_word, start_note
from tui_uploader.wording.result_findings import crs_words
from tui_uploader.wording.results import name_of, result_facts, type_word
from tui_uploader.wording.upload_states import state_words
from tui_uploader.wording.uploads import (
    NO_UPLOADS,
    counts,
    end,
    outcome,
    percent_sent,
    project_name,
    rate,
    time_left,
    truths,
    without_stale_rate,
)
from tui_uploader.wording.verification import running_line
from tui_uploader.wording.watches import reason_of, settings_words, watched_path
from tui_uploader.wording.watches import state_words as watch_state

# SGR parameters, ECMA-48: 1 bold, 31 red, 32 green, 34 blue, 90 grey.
_COLOURS: Mapping[FileStatus, str] = {
    FileStatus.UPLOADED: "32",
    FileStatus.UPLOADING: "34",
    FileStatus.WAITING: "90",
    FileStatus.DUPLICATE: "31",
    FileStatus.FAILED: "1;31",
}


def glyph(status: FileStatus, style: Style) -> str:
    """One cell."""
    shape = (ASCII_GLYPHS if style.ascii else GLYPHS)[status]
    return f"\x1b[{_COLOURS[status]}m{shape}\x1b[0m" if style.colour else shape


def file_line(item: FileItem, style: Style) -> str:
    """`✓ uploaded    4.03 MB  DJI_0001.JPG`, followed by the other name and the reason where there are any."""
    parts = [f"{glyph(item.status, style)} {item.status:<9} {byte_count(item.size):>8}  {printable(item.name)}"]
    if renamed := other_name(item):
        parts.append(f"→ {renamed}")
    if item.result is not None and item.belongs_to is None:
        parts.append(type_word(item.result))
    if item.belongs_to is not None:
        parts.append(f"of {name_of(item.belongs_to)}")
    if item.replaced:
        parts.append("replaced since")
    if remark := _remark(item):
        parts.append(remark)
    return "  ".join(parts)


def _remark(item: FileItem) -> str | None:
    if item.status is FileStatus.DUPLICATE and item.duplicate_of not in (None, item.path):
        return copied(original(item) or "")
    return reason(item) or (verification(item) if item.verified is Proof.NONE else None)


def upload_lines(status: UploadStatus, now: float) -> list[str]:
    """One upload: name and state, files, bytes, processing, notice."""
    lines = [
        f"{status.upload}  {project_name(status)}: {_state(status, now)}, {percent_sent(status)} % sent",
        f"   {outcome(status) if status.settled else counts(status)}",
        f"   {', '.join(filter(None, (truths(status.bytes), pace(status, now))))}",
    ]
    if status.process_at is not None:
        lines.append(f"   {start_note(status, now)}")
    elif status.processing.state is not ProcessingState.NOT_STARTED or status.processing.reason:
        lines.append(f"   {processing_sentence(status.processing, now)}")
    if status.notice is not None:
        lines.append(f"   ! {notice_line(status.notice)}")
    return lines


def _state(status: UploadStatus, now: float) -> str:
    """The state of the upload, or while it runs, why it does not move."""
    running = status.state in (UploadState.PREPARING, UploadState.ACTIVE) and not status.settled
    return (state_words(status, now) if running else "") or status.state


def status_lines(engine: EngineStatus, now: float) -> list[str]:
    """The answer of `status`; `now` in seconds since the epoch."""
    link = link_line(engine.link, now)
    lines = [link] if link else []
    if engine.bandwidth.rate:  # where nothing may be sent, each upload says why
        lines.append(f"Bandwidth: {in_force(engine.bandwidth)}.")
    if too_small := budget_too_small(engine.bandwidth, engine.left):
        lines.append(too_small)
    if len(engine.uploads) > 1 and engine.left:
        lines.append(total_line(engine, now))
    for status in engine.uploads:
        lines.extend(upload_lines(without_stale_rate(status, engine.streams), now))
    lines += [running_line(each) for each in engine.verifications if each.state is VerificationState.RUNNING]
    failures = [f"! {hook_failure(failure)}" for failure in engine.hook_failures]
    return [*(lines or [NO_UPLOADS]), *watch_lines(engine), *failures]


def watch_lines(engine: EngineStatus) -> list[str]:
    """The watched folders: `Watch 1  /media/card: waits for a card`, with the settings of each below it."""
    uploads = {status.upload: status for status in engine.uploads}
    lines = []
    for watch in engine.watches:
        lines.append(
            f"Watch {watch.watch}  {watched_path(watch)}: {watch_state(watch, uploads.get(watch.upload or 0))}"
        )
        if watch.reason is not None and watch.state is not WatchState.BLOCKED:
            lines.append(f"   ! {reason_of(watch)}")
        lines.append(f"   {settings_words(watch)}")
    return lines


def total_line(engine: EngineStatus, now: float) -> str:
    """`All uploads: 85.0 MB left, 250 KB/s, done ~14:29 (8 min).`"""
    speed = byte_rate(engine.rate) if engine.rate and engine.streams else None
    done = end(engine.eta, now) if engine.eta is not None else None
    return f"All uploads: {', '.join(filter(None, (f'{byte_count(engine.left)} left', speed, done)))}."


def pace(status: UploadStatus, now: float | None = None) -> str | None:
    """`4.03 MB/s, done ~14:29 (12–15 min)`, or without `now` `4.03 MB/s, 12–15 min left`; None while nothing moves."""
    left = time_left(status)
    if left and status.eta is not None:
        left = f"{left} left" if now is None else end(status.eta, now)
    return ", ".join(filter(None, (rate(status), left))) or None


def progress_line(status: UploadStatus) -> str:
    """`42 % sent (1.80 GB of 4.03 GB), 717 of 1,711 files in the project, 4.03 MB/s, 12–15 min left`."""
    numbers, volume = status.counts, status.bytes
    parts = [
        f"{percent_sent(status)} % sent ({byte_count(volume.sent)} of {byte_count(volume.total)})",
        f"{numbers.uploaded:,} of {counted(numbers.total - numbers.duplicate, 'file')} in the project",
        pace(status),
        f"{numbers.failed:,} failed" if numbers.failed else None,
    ]
    return ", ".join(filter(None, parts))


def notice_line(notice: Notice) -> str:
    return explained(notice.kind, notice.message)


def bar(percent: int, width: int) -> str:
    """`percent` of `width` cells filled."""
    filled = percent * width // 100
    return "█" * filled + "░" * (width - filled)


def link_line(link: Link, now: float) -> str | None:
    """`OFFLINE since 14:02, next try in 12 s. 127.0.0.1 refused the connection.`; None while the link is not down."""
    if link.state is not LinkState.DOWN:
        return None
    words = ", ".join(filter(None, (offline_since(link, now), next_try(link, now))))
    return f"{words}.{f' {printable(link.reason)}' if link.reason else ''}"


def bandwidth_lines(bandwidth: Bandwidth) -> list[str]:
    """The three settings, and the limit that they amount to now."""
    return [
        f"Limit: {limit_setting(bandwidth)}",
        f"Schedule: {schedule_setting(bandwidth)}",
        f"Budget: {budget_used(bandwidth) or budget_setting(bandwidth)}",
        f"Now: {in_force(bandwidth)}",
    ]


def project_line(project: Project) -> str:
    """One line of `projects list`; the name comes last because it has no known width."""
    number = printable(project.id) if project.id is not None else "(no id yet)"
    word = printable(project_word(project), 24)
    results = project.kind is ProjectKind.RESULTS
    content = counted(len(project.results), "result") if results else counted(project.images, "image")
    return f"{number:>11}  {word:<24} {content:>12}  {printable(project.name)}"


def project_lines(project: Project, now: float) -> list[str]:
    """The answer of `projects show`."""
    number = printable(project.id) if project.id is not None else "none yet: the service has not created the project"
    lines = [printable(project.name), f"   id {number}", f"   {project.kind} of {printable(project.account)}"]
    if project.kind is ProjectKind.RESULTS:
        lines += _result_lines(project, now)
    else:
        lines.append(f"   {counted(project.images, 'image')} of this machine registered")
        if project.images_in_cloud is not None:
            lines.append(f"   {counted(project.images_in_cloud, 'image')} in the cloud")
        lines.append(f"   {processing_sentence(project.processing, now)}")
    if project.uploads:
        lines.append(f"   uploads {', '.join(str(upload) for upload in project.uploads)}")
    if project.web_address is not None:
        lines.append(f"   {printable(project.web_address)}")
    return lines


def _result_lines(project: Project, now: float) -> list[str]:
    """`3 results (12.1 GB)`, and one line for each: type, size, when it was uploaded, name."""
    size = sum(result.size for result in project.results)
    lines = [f"   {counted(len(project.results), 'result')}{f' ({byte_count(size)})' if size else ''}"]
    for result in project.results:
        kind, name, volume, at = result_facts(result, now)
        lines.append(f"   {kind:<12} {volume:>8}  {', '.join(filter(None, (name, at, _system(result))))}")
    return lines


def _system(result: ProjectResult) -> str:
    return "" if result.crs is None else crs_words(result.crs)


def queued_line(status: UploadStatus) -> str:
    """The answer of `upload`: the files, whether they move, and the next command."""
    number, name = status.upload, project_name(status)
    files = f"Upload {number}: {counted(status.counts.total, 'file')} ({byte_count(status.bytes.total)})"
    if status.state is UploadState.COMPLETE:
        return f"{files}, nothing left to upload to {name}."
    if status.notice is not None and status.notice.needs_person:
        return f"{files} queued for {name}, but blocked: action required (see the reason above)."
    if status.state is UploadState.PAUSED:
        return f"{files} queued for {name}, but the upload is paused. Resume with: tui-uploader resume {number}"
    more = "; still looking for more" if status.state is UploadState.PREPARING else ""
    return f"{files} queued for {name}{more}. Follow with: tui-uploader status {number} --watch"
