"""The plots of a report; `reports.figures` draws them."""
