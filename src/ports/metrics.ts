import type { MetricName } from '../catalog/metrics.ts';

/** Gauges, counters and histograms of the catalogue; labels are closed lists too. Never waits, never throws. */
export type Metrics = {
  set(name: MetricName, value: number, labels?: Readonly<Record<string, string>>): void;
  count(name: MetricName, labels?: Readonly<Record<string, string>>): void;
  observe(name: MetricName, value: number, labels?: Readonly<Record<string, string>>): void;
};
