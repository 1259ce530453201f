"""Spreadsheets as rows with places: read with calamine, written with XlsxWriter.  For host and plugins."""

from ticssync.tables.dates import DateProblem, read_date
from ticssync.tables.read import Cell, Grid, UnreadableTable, cell_name, cell_text, read_grids
from ticssync.tables.write import Book

__all__ = [
    "Book",
    "Cell",
    "DateProblem",
    "Grid",
    "UnreadableTable",
    "cell_name",
    "cell_text",
    "read_date",
    "read_grids",
]
