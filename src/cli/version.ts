// `siteward --version`. The build writes the number in; sources that run as they are have none.

declare const SITEWARD_VERSION: string | undefined;

export const version = typeof SITEWARD_VERSION === 'string' ? SITEWARD_VERSION : '(not built)';

export function showVersion(): string {
  return `siteward ${version}, Node ${process.version.slice(1)}`;
}
