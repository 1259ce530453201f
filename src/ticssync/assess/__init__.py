"""Confirming, returning and excluding: who may, and the 確認票 that a president answers in a spreadsheet."""
