"""The market API, spoken by a simulated or a replayed market."""
