"""A workbook (.xlsx) that people edit in Excel or LibreOffice, as a tracker.

Read with calamine, written cell by cell into the package that is there: what people made stays.
"""
