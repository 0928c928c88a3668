/** The alerts' catalogue as a file that Prometheus loads, and how it is told to. */
import { stringify } from 'yaml';
import { type Alert, alerts, scrapeJob } from '../src/catalog/alerts.ts';

export const rulesFile = 'deploy/prometheus/siteward.rules.yml';

export function rulesPage(): string {
  const group = { name: 'siteward', interval: '10s', rules: alerts.map(rule) };
  return [
    '# Generated from src/catalog/alerts.ts by `node scripts/gen-docs.ts`; change it there.',
    '# How Prometheus is told to load it: docs/METRICS.md, "Alert on".',
    stringify({ groups: [group] }, { lineWidth: 120 }),
  ].join('\n');
}

function rule({ name, severity, expression, lasting, summary, whatToDo }: Alert) {
  return {
    alert: name,
    expr: expression,
    ...(lasting === undefined ? {} : { for: lasting }),
    labels: { severity },
    annotations: { summary, what_to_do: whatToDo },
  };
}

/** A part of prometheus.yml, for the hosts of the cluster file. */
export function prometheusExample(): string {
  return `rule_files:
  - siteward.rules.yml
scrape_configs:
  - job_name: ${scrapeJob}          # SitewardDown looks for this name
    scrape_interval: 10s
    honor_labels: true          # cluster and role are written here for \`up\` alone: what a daemon says of itself is the same
    static_configs:
      - labels: { cluster: birthday, role: agent }
        targets: ["site1-svc:7400", "site2-svc:7400"]       # service hosts
      - labels: { cluster: birthday, role: guard }
        targets: ["site1-db:7400", "site2-db:7400"]         # database hosts
      - labels: { cluster: birthday, role: witness }        # only with witness.kind: agent
        targets: ["witness:7400"]
`;
}
