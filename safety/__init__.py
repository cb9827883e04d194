"""Audits clips."""
