// The metrics port over prom-client: a registry of our own, made from the catalogue.

import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import {
  metrics as catalogue,
  type DaemonRole,
  type MetricDefinition,
  type MetricName,
} from '../../catalog/metrics.ts';
import type { Metrics } from '../../ports/metrics.ts';

type Instrument = Gauge | Counter | Histogram;

export type MetricsRegistry = Metrics & {
  /** For GET /metrics. */
  render(): Promise<{ readonly type: string; readonly text: string }>;
};

/** On every line. */
export type DaemonLabels = { readonly cluster: string; readonly role: DaemonRole; readonly site: string };

export function createMetrics(labels: DaemonLabels): MetricsRegistry {
  const registry = new Registry();
  registry.setDefaultLabels(labels);
  const instruments = new Map<MetricName, Instrument>();

  /** Made when first used: a guard shows no metrics of an agent. */
  function instrument(name: MetricName): Instrument {
    const known = instruments.get(name);
    if (known !== undefined) return known;
    const fresh = make(name, catalogue[name], registry);
    instruments.set(name, fresh);
    return fresh;
  }

  for (const name of Object.keys(catalogue) as MetricName[]) {
    const { fromStart }: MetricDefinition = catalogue[name];
    const counter = fromStart?.of.includes(labels.role) ? instrument(name) : null;
    if (counter instanceof Counter) for (const series of fromStart?.series ?? []) counter.inc({ ...series }, 0);
  }

  return {
    set: (name, value, labels = {}) => {
      const gauge = instrument(name);
      if (gauge instanceof Gauge) gauge.set(labels, value);
    },
    count: (name, labels = {}) => {
      const counter = instrument(name);
      if (counter instanceof Counter) counter.inc(labels);
    },
    observe: (name, value, labels = {}) => {
      const histogram = instrument(name);
      if (histogram instanceof Histogram) histogram.observe(labels, value);
    },
    render: async () => ({ type: registry.contentType, text: await registry.metrics() }),
  };
}

function make(name: MetricName, definition: MetricDefinition, registry: Registry): Instrument {
  const common = { name, help: definition.help, labelNames: [...definition.labels], registers: [registry] };
  if (definition.type === 'gauge') return new Gauge(common);
  if (definition.type === 'counter') return new Counter(common);
  return new Histogram({ ...common, ...(definition.buckets && { buckets: [...definition.buckets] }) });
}
