/** What the package says to an operator, from the catalogues: manual pages and the completion of bash. */
import { type CommandDefinition, commands } from '../src/catalog/commands.ts';
import { exitCodes } from '../src/catalog/exit-codes.ts';

export type PageOptions = { readonly version: string /** YYYY-MM-DD */; readonly date: string };

const files = [
  ['/etc/siteward/cluster.yaml', 'The cluster file, the same on every host.'],
  ['/etc/siteward/database.env', "What the units of a database host read: `siteward config database-env' prints it."],
  ['/etc/siteward/keys', "This host's own keys: NAME.key, readable by its daemon's account only, and NAME.crt."],
  ['/etc/siteward/secrets', 'Passwords, one a file.'],
  ['/var/lib/siteward', 'What must survive: votes, promises, epochs. Never copy it, never put an older one back.'],
  ['/run/siteward', 'What guard and fuse tell each other; forgotten by a boot.'],
  ['/usr/share/doc/siteward/examples/cluster.example.yaml', 'A cluster file to begin with.'],
] as const;

const units = [
  ['siteward-agent.service', 'service hosts; runs as siteward-agent'],
  ['siteward-guard.service', 'database hosts; runs as postgres'],
  ['siteward-fuse.service', 'database hosts; runs as siteward-fuse'],
  ['siteward-postgresql.socket', 'database hosts; by it the guard has systemd start and stop its one PostgreSQL'],
  ['siteward-witness.service', 'a third place, where the witness is an agent; runs as siteward-witness'],
] as const;

export function manualPage({ version, date }: PageOptions): string {
  return [
    title('siteward', version, date),
    '.SH NAME',
    'siteward \\- keeps a two-site PostgreSQL service up with nobody awake',
    '.SH SYNOPSIS',
    '.B siteward',
    '.I COMMAND',
    '.RI [ OPTION ...]',
    '.SH DESCRIPTION',
    text(
      "An agent on each site's service host watches and decides; a guard on each database host lets its PostgreSQL accept writes only under a lease; a fuse beside it ends the database with the lease, whatever became of the guard.",
    ),
    '.PP',
    text('Operators begin with `siteward status`. Every command says more with \\-\\-help.'),
    '.SH COMMANDS',
    ...commands.flatMap(command),
    '.SH UNITS',
    text('None is enabled by the installation.'),
    ...units.flatMap(([name, what]) => tagged(name, what)),
    '.SH FILES',
    ...files.flatMap(([name, what]) => tagged(name, what)),
    '.SH EXIT STATUS',
    ...exitCodes.flatMap(({ code, meaning }) => tagged(String(code), meaning)),
    '.SH SEE ALSO',
    '.BR siteward\\-host (8)',
    '',
  ].join('\n');
}

export function hostManualPage({ version, date }: PageOptions): string {
  return [
    title('siteward-host', version, date),
    '.SH NAME',
    "siteward\\-host \\- the one command that siteward's SSH key is bound to",
    '.SH SYNOPSIS',
    '.B siteward\\-host application',
    '.BI \\-\\-directory " DIR" " \\-\\-state" " DIR" " \\-\\-ports" " LIST"',
    '.RI [ OPTION ...]',
    '.PP',
    '.B siteward\\-host database',
    '.BI \\-\\-data " DIR" " \\-\\-bin" " DIR" " \\-\\-state" " DIR"',
    '.RI [ OPTION ...]',
    '.SH DESCRIPTION',
    text(
      'Named in authorized_keys of application and database hosts (restrict,command="..."). It takes the order from SSH_ORIGINAL_COMMAND, obeys the few that there are, refuses every other text, keeps the highest era, epoch and ballot beside what it changes and refuses lower ones, and leaves a line in the system log.',
    ),
    '.PP',
    text('Options, orders and refusals are listed in /usr/share/doc/siteward/HOSTS.md.'),
    '.SH EXIT STATUS',
    ...tagged('0', 'The order was carried out.'),
    ...tagged('1', 'It was refused; the answer on standard output says why.'),
    ...tagged('2', 'The line in authorized_keys is wrong.'),
    '.SH SEE ALSO',
    '.BR siteward (8)',
    '',
  ].join('\n');
}

function title(name: string, version: string, date: string): string {
  return `.\\" Generated from src/catalog; change it there.\n.TH ${roff(name.toUpperCase())} 8 ${date} "siteward ${version}"`;
}

function command({ usage, description }: CommandDefinition): string[] {
  return ['.TP', `.B ${roff(usage.replace(/^siteward /, ''))}`, text(description)];
}

function tagged(name: string, what: string): string[] {
  return ['.TP', `.B ${roff(name)}`, text(what)];
}

function roff(words: string): string {
  return words.replaceAll('\\', '\\e').replaceAll('-', '\\-');
}

/** A line of its own must not begin with what roff takes for a request. */
function text(sentence: string): string {
  return /^[.']/.test(sentence) ? `\\&${sentence}` : sentence;
}

/** Words and options out of the usage lines: `config check|explain [FILE]` has two words, `[--to SITE]` one option. */
export function completionOf({ usage, operator }: CommandDefinition): {
  readonly words: readonly string[];
  readonly options: readonly string[];
} {
  const rest = usage.split(' ').slice(2).join(' ');
  const bare = rest.replaceAll(/\[[^\]]*\]/g, ' ');
  return {
    words: bare.split(/[\s|]+/).filter((word) => /^[a-z][a-z-]*$/.test(word)),
    options: [
      ...new Set([
        ...(rest.match(/--[a-z-]+/g) ?? []),
        ...(operator === true ? ['--as', '--json'] : []),
        '--config',
        '--help',
      ]),
    ],
  };
}

export function bashCompletion(): string {
  const cases = commands.map((each) => {
    const { words, options } = completionOf(each);
    return `    ${each.name}) words='${words.join(' ')}' options='${options.join(' ')}' ;;`;
  });
  return `# Completion of siteward for bash. Generated from src/catalog/commands.ts; change it there.

_siteward() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} words= options=
  COMPREPLY=()
  case $prev in
    --to | --primary) COMPREPLY=($(compgen -W 'site1 site2' -- "$cur")); return ;;
    --config) COMPREPLY=($(compgen -f -- "$cur")); return ;;
  esac
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W '${commands.map(({ name }) => name).join(' ')} --help --version' -- "$cur"))
    return
  fi
  case \${COMP_WORDS[1]} in
${cases.join('\n')}
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  elif [ -n "$words" ] && [ "$COMP_CWORD" -eq 2 ]; then
    COMPREPLY=($(compgen -W "$words" -- "$cur"))
  else
    COMPREPLY=($(compgen -f -- "$cur"))
  fi
}

complete -o filenames -F _siteward siteward
`;
}
