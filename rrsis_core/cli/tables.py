"""Plain tables for terminals."""

from collections.abc import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return columns as text: the first to the left, numbers to the right."""
    cells = [[str(cell) for cell in row] for row in (header, *rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    lines = []
    for row in cells:
        parts = [
            cell.rjust(width) if column and _is_number(rows, column) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(parts).rstrip())
    return "\n".join(lines)


def _is_number(rows: Sequence[Sequence[object]], column: int) -> bool:
    values = [str(row[column]).replace(",", "").replace(".", "").replace("-", "") for row in rows]
    return all(value.isdigit() or not value for value in values) and any(values)
