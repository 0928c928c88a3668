import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseEnv } from 'node:util';
import {
  type EnvLine,
  formatEnvLine,
  getEnvValue,
  malformedLines,
  parseEnvFile,
  renderEnvFile,
} from '../../src/core/envfile/env-file.ts';

/** Text, and its lines as `kind` or `key=value`. */
const rows: readonly (readonly [text: string, lines: readonly string[]])[] = [
  ['', []],
  ['A=1\nB=2', ['A=1', 'B=2']],
  ['A=1\r\nB=2\r\n', ['A=1', 'B=2']],
  ['# site1\n\n  # more\n \t\nA=1\n', ['comment', 'blank', 'comment', 'blank', 'A=1']],
  ['A=1\nA=2\n', ['A=1', 'A=2']],
  ['export A=1\n  export\tB = 2  \n', ['A=1', 'B=2']],
  ['A=a b # why\nB=a#b\n', ['A=a b', 'B=a']],
  ['A=\nB=#x\nC=""\n', ['A=', 'B=', 'C=']],
  ['A="x # y" # z\nB=\'it"s\'\nC=`a\'b"c`\n', ['A=x # y', 'B=it"s', 'C=a\'b"c']],
  ['A="a\\nb"\nB=\'a\\nb\'\n', ['A=a\nb', 'B=a\\nb']],
  ['A="one\r\ntwo"\nB=1\n', ['A=one\ntwo', 'B=1']],
  ['dbpass=a=b==\n', ['dbpass=a=b==']],
  ['A-B.c=1\n_x=2\n', ['A-B.c=1', '_x=2']],
  // What readers differ on means nothing.
  ['junk\n=1\n1A=2\nA B=3\nexport A\nexport=4\n', Array(6).fill('malformed')],
  ['A="open\nB=1\n', ['malformed', 'B=1']],
  ['A="x" y\n', ['malformed']],
  ['A= \nB=1\n', ['malformed', 'B=1']],
  ['A=x\ry\n', ['malformed']],
  ['#x\n #A=1\n#B=2\n', ['comment', 'malformed', 'comment']],
  ['#\r\n\t#\r=', ['comment', 'malformed']],
  ['export A=\nexport B=', ['malformed', 'malformed']],
  ['\uFEFFA=1\nB=2\n', ['malformed', 'B=2']],
];

for (const [text, lines] of rows) {
  test(`.env ${JSON.stringify(text)}`, () => {
    const file = parseEnvFile(text);
    assert.deepEqual(file.lines.map(show), lines);
    assert.equal(renderEnvFile(file), text);
  });
}

test('the last of two equal keys counts, as where the application reads it', () => {
  const text = 'dbhost=172.20.1.30\ndbhost=172.21.1.30\n';
  assert.equal(getEnvValue(parseEnvFile(text), 'dbhost'), '172.21.1.30');
  assert.equal(parseEnv(text)['dbhost'], '172.21.1.30');
  assert.equal(getEnvValue(parseEnvFile(text), 'dbport'), null);
});

test('malformed lines are numbered as an editor numbers them', () => {
  assert.deepEqual(malformedLines(parseEnvFile('A="x\ny"\njunk\n\n=\n')), [3, 5]);
});

test('a value that no quoting can say is refused', () => {
  assert.equal(formatEnvLine('A', 'plain'), 'A=plain\n');
  assert.equal(formatEnvLine('A', 'a b'), "A='a b'\n");
  assert.equal(formatEnvLine('A', `a'b`), "A=`a'b`\n");
  assert.equal(formatEnvLine('A', `a'b\`c`), 'A="a\'b`c"\n');
  assert.equal(formatEnvLine('A', `'"\``), null);
  assert.equal(formatEnvLine('A', `'\`\\n`), null);
  assert.equal(formatEnvLine('A', 'a\rb'), null);
  assert.equal(formatEnvLine('A B', 'x'), null);
  assert.equal(formatEnvLine('export', 'x'), null);
});

function show(line: EnvLine): string {
  return line.kind === 'entry' ? `${line.key}=${line.value}` : line.kind;
}
