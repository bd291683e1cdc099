"""Carrying an export out. Blocks on the disk, for as long as the whole session takes to read."""

from __future__ import annotations

from pathlib import Path

from app.export.formats import Order
from app.export.material import open_material
from app.export.part_files import PartFiles
from app.export.plan import Plan
from app.export.progress import Ask, Progress, Tell
from audio.wavfile import unwritable


def export(order: Order, tell: Tell | None = None, cancelled: Ask | None = None) -> list[Path]:
    """Carry ``order`` out, and return the files that were written.

    They appear in the end, all of them; where one cannot take its place, none appears that was
    not there, though some that were to be replaced may be. ``tell`` is told the share that is done,
    ``cancelled`` asked whether to stop; both are called on this thread.

    Raises:
        ExportError: a format cannot be had of this session, or a target not be written:
            `TargetsExist` where files are there already, `Cancelled` where it was called off.
        BundleError: it is no session.
        FileError: the session cannot be read, or a file not be written.

    """
    progress = Progress(tell, cancelled)
    with (
        open_material(order.session, swap=order.wish.swap) as material,
        PartFiles(order.replace, replace_all=order.replace_all) as parts,
    ):
        plan = Plan(material, order, progress)
        progress.total = plan.expected_weight  # what the outputs are may take reading all events
        outputs = [output for output in plan.outputs if output.path not in order.skip]
        parts.check([output.path for output in outputs], material.files)
        progress.total = sum(output.weight for output in outputs) + plan.reading_weight
        for output in outputs:
            file = parts.open(output.path)
            try:
                output.write(file)
            except OSError as error:
                raise unwritable(output.path, error) from error
        written = parts.commit()
        progress.finish()
        return written
