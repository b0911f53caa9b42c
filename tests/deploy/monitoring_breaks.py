"""What may go wrong with rules, alerts and dashboard, and what `make deploy-check` then says."""

from .breaks import Break

ALERTS = "deploy/prometheus/alerts.yml"
BREAKS = {
    "dashboard: no JSON": Break(
        "monitoring", "deploy/prometheus/dashboard.json", "{", "{,", "dashboard.json is no JSON"
    ),
    "rules: no expression": Break(
        "monitoring",
        ALERTS,
        "max(ree_model_ready) == 0",
        "max(ree_model_ready == 0",
        "could not parse",
        True,
    ),
    "rules: another limit": Break(
        "monitoring", ALERTS, "> 65 * 86400", "> 95 * 86400", "FAILED", True
    ),
    "Prometheus: no configuration": Break(
        "monitoring", "deploy/prometheus/prometheus.yml", "scrape_configs:", "scrapes:", "scrapes"
    ),
    "Alertmanager: nobody to tell": Break(
        "monitoring",
        "deploy/prometheus/alertmanager.yml",
        "receiver: tickets",
        "receiver: nobody",
        "nobody",
    ),
}
