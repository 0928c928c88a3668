// Who may ask what, as a table: protocol.md, "Messages".

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Request } from '../../src/core/messages.ts';
import type { PeerId } from '../../src/core/site.ts';
import { mayAsk } from '../../src/wire/allowed.ts';

type Type = Request['type'];
const types: readonly Type[] = [
  'renew',
  'register-grant',
  'release',
  'inquire',
  'sync-off',
  'prepare',
  'accept',
  'chosen',
  'state',
  'rejoin',
  'rejoined',
  'failsafe',
  'refusing',
  'guard-order',
  'order',
  'status',
  'init',
];

const rows: readonly (readonly [PeerId, PeerId, readonly Type[]])[] = [
  ['site1-guard', 'site1-agent', ['renew', 'register-grant', 'release', 'inquire', 'sync-off']],
  ['site1-guard', 'site2-agent', ['renew', 'register-grant', 'release', 'inquire', 'sync-off']],
  ['site1-guard', 'witness', ['renew', 'release', 'inquire']],
  ['site1-guard', 'site2-guard', ['failsafe']],
  ['site1-guard', 'site1-guard', []],
  ['site1-agent', 'site2-agent', ['prepare', 'accept', 'chosen', 'state', 'rejoin', 'rejoined']],
  ['site1-agent', 'witness', ['prepare', 'accept', 'chosen', 'state', 'rejoin', 'rejoined']],
  ['site1-agent', 'site2-guard', ['chosen', 'refusing', 'guard-order']],
  ['witness', 'site1-agent', []],
  ['witness', 'site1-guard', []],
  ['operator:ada', 'site1-agent', ['order', 'status', 'init']],
  ['operator:ada', 'witness', ['status', 'init']],
  ['operator:ada', 'site1-guard', ['status', 'init']],
  ['site1-agent', 'operator:ada', []],
];

for (const [from, to, may] of rows) {
  test(`${from} may ask ${to}: ${may.join(', ') || 'nothing'}`, () => {
    assert.deepEqual(
      types.filter((type) => mayAsk(from, to, type)),
      types.filter((type) => may.includes(type)),
    );
  });
}
