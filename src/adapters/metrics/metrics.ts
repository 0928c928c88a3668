// The metrics port over prom-client: a registry of our own, made from the catalogue.

import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { metrics as catalogue, type MetricDefinition, type MetricName } from '../../catalog/metrics.ts';
import type { Metrics } from '../../ports/metrics.ts';

type Instrument = Gauge | Counter | Histogram;

export type MetricsRegistry = Metrics & {
  /** For GET /metrics. */
  render(): Promise<{ readonly type: string; readonly text: string }>;
};

export function createMetrics(defaultLabels: Readonly<Record<string, string>>): MetricsRegistry {
  const registry = new Registry();
  registry.setDefaultLabels(defaultLabels);
  const instruments = new Map<MetricName, Instrument>();

  /** Made when first used: a guard shows no metrics of an agent. */
  function instrument(name: MetricName): Instrument {
    const known = instruments.get(name);
    if (known !== undefined) return known;
    const fresh = make(name, catalogue[name], registry);
    instruments.set(name, fresh);
    return fresh;
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
