// A switch that kills its own process right after the step named: run by host.test.ts as a process of its own.

import { type ApplicationHost, type SwitchStep, switchEnv } from '../../src/cli/host/application.ts';
import { tokenOf } from './ssh-bed.ts';

const [directory = '', stateDirectory = '', stopAfter = '', pidFile = ''] = process.argv.slice(2);
const host: ApplicationHost = {
  directory,
  envFile: '.env',
  stateDirectory,
  reload: { kind: 'sighup', pidFile, ports: [8001] },
  reloadDeadlineMs: 1000,
};
await switchEnv(host, 'site2', tokenOf(2), (step: SwitchStep) => {
  if (step === stopAfter) process.kill(process.pid, 'SIGKILL');
});
