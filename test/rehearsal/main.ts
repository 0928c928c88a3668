/** `make rehearsal`: six hosts boot, are deployed over SSH as an operator would, are failed over, upgraded, and cleared. */
import { parseArgs } from 'node:util';
import { Fleet } from './fleet.ts';
import { chosenSteps, stepNames } from './plan.ts';
import { Rehearsal } from './rehearsal.ts';

const USAGE = `main.ts [--only STEP,...] [--from STEP] [--minutes X] [--keep] [--name NAME]
main.ts --down [--name NAME]

Steps: ${stepNames.join(', ')}
  --only, --from  these alone, or from one on, with the fleet of an earlier run that was kept
  --minutes       begin no step after so long
  --keep          leave the fleet as it is at the end
  --down          put a kept fleet away`;

// A host whose /etc or whose operator's home anybody may write is one that sshd and sudo refuse.
process.umask(0o022);

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      only: { type: 'string' },
      from: { type: 'string' },
      minutes: { type: 'string', default: 'Infinity' },
      keep: { type: 'boolean', default: false },
      down: { type: 'boolean', default: false },
      name: { type: 'string', default: 'rehearsal' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const steps = chosenSteps(values);
  const minutes = Number(values.minutes);
  if (values.help || steps === null || !(minutes > 0)) {
    console.log(USAGE);
    return values.help ? 0 : 2;
  }
  const fleet = new Fleet({ name: values.name });
  if (values.down) {
    await fleet.down();
    return 0;
  }
  const rehearsal = new Rehearsal(fleet, values.keep);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      console.error('rehearsal: told to end, putting the hosts away');
      void rehearsal.end().then(() => process.exit(130));
    });
  }
  const ok = await rehearsal.run(steps, minutes);
  return ok ? 0 : 1;
}

process.exit(await main());
