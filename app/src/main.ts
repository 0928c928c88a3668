// argv to command: `serve` (the default) or `migrate`. A mistake of whoever started it is one sentence on standard error and exit code 2.
import { ConfigError, readConfig } from './config.ts';

async function main(command: string): Promise<void> {
  if (command === 'serve') {
    const { serve } = await import('./serve.ts');
    return serve(readConfig(process.env));
  }
  if (command === 'migrate') {
    const { migrate } = await import('./migrate.ts');
    return migrate(process.env);
  }
  throw new ConfigError(`unknown command ${JSON.stringify(command)}: write serve or migrate`);
}

main(process.argv[2] ?? 'serve').catch((error: unknown) => {
  console.error(error instanceof ConfigError ? `birthday: ${error.message}` : error);
  process.exit(error instanceof ConfigError ? 2 : 1);
});
