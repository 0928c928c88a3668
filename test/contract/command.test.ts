import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runCommand } from '../../src/adapters/command/command.ts';

for (const [title, argv, deadlineMs, kind] of [
  ['a program that exits 0 is done', ['true'], 5000, 'done'],
  ['a program that exits 3 is rejected', ['sh', '-c', 'exit 3'], 5000, 'rejected'],
  ['a program that is not there is rejected', ['/nonexistent/fence'], 5000, 'rejected'],
  ['a program that does not end is unknown', ['sleep', '30'], 200, 'unknown'],
] as const) {
  test(title, async () => {
    const outcome = await runCommand(argv, deadlineMs);
    assert.equal(outcome.kind, kind);
  });
}
