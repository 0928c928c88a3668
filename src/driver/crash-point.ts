// Crash points (scenario S8): the lab has a process killed exactly after a named effect, told by an environment
// variable that production refuses. Effects: persist, persist:<what>, send:<request type>, reply:<answer type>,
// register-read, register-swap, act:<deed kind>; `#3` means the third time, `persist:promised>send:chosen` the first
// send:chosen after a persist:promised (an agent tells its guards the chosen record at its start too).

const effect = '(?:persist|send|reply|act):[a-z-]+|persist|register-read|register-swap';
const pattern = new RegExp(`^(?:(${effect})>)?(${effect})(?:#([1-9]\\d{0,5}))?$`);

export const crashVariable = 'SITEWARD_CRASH_AFTER';
export const labVariable = 'SITEWARD_LAB';

export type CrashPoint =
  | { readonly kind: 'none' }
  | { readonly kind: 'armed'; readonly afterEffect: (name: string) => void }
  /** The process must not start. */
  | { readonly kind: 'refused'; readonly why: string };

/** `kill` must not return: SIGKILL to the process itself. */
export function readCrashPoint(
  environment: Readonly<Record<string, string | undefined>>,
  kill: () => void,
): CrashPoint {
  const text = environment[crashVariable];
  if (text === undefined || text === '') return { kind: 'none' };
  if (environment[labVariable] !== '1') {
    return { kind: 'refused', why: `${crashVariable} kills this process on purpose; it is for the lab only` };
  }
  const match = pattern.exec(text);
  if (match === null) return { kind: 'refused', why: `${crashVariable}: there is no effect ${text}` };
  const [, first, wanted] = match;
  let left = Number(match[3] ?? '1');
  let armed = first === undefined;
  const afterEffect = (name: string) => {
    if (!armed) {
      armed = name === first;
      return;
    }
    if (name !== wanted) return;
    left -= 1;
    if (left === 0) kill();
  };
  return { kind: 'armed', afterEffect };
}
