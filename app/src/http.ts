// The service's HTTP face: names, dates and status codes. What is a client's mistake is told with a sentence; what is the database's is a
// 503 with Retry-After, and only after the request was held for as long as it may be.
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { type CalendarDate, greeting, isBefore, isUsername, parseDate } from './birthday.ts';
import { type Database, RequesterGone } from './database/database.ts';
import { reasonOf } from './database/failure.ts';
import { HoldEnded } from './database/hold-queue.ts';
import type { Readiness } from './readiness.ts';
import { findBirthday, saveBirthday } from './users.ts';

const RETRY_AFTER_S = '1';
const IN_DOUBT = 'Whether this was saved is not known yet: it may come to light later. Send it again, or ask.';
const METHODS: readonly (readonly [RegExp, string])[] = [
  [/^\/hello\/[^/]+$/, 'GET, HEAD, POST, PUT'],
  [/^\/(livez|readyz)$/, 'GET, HEAD'],
];

export interface Service {
  readonly database: Database;
  readonly readiness: () => Readiness;
  readonly today: () => CalendarDate;
}

class BadRequest extends Error {
  readonly statusCode = 400;
}

interface HelloRequest {
  Params: { username: string };
  Body: unknown;
}

export function addRoutes(app: FastifyInstance, { database, readiness, today }: Service): void {
  app.get<HelloRequest>('/hello/:username', async (request, reply) => {
    const username = usernameOf(request);
    const born = await findBirthday(database, username, isGone(request));
    if (born === null) return reply.code(404).send({ message: `There is no user ${username}.` });
    return { message: greeting(username, born, today()) };
  });

  app.route<HelloRequest>({
    method: ['PUT', 'POST'],
    url: '/hello/:username',
    handler: async (request, reply) => {
      const username = usernameOf(request);
      await saveBirthday(database, username, birthdayOf(request.body, today()), isGone(request));
      return reply.code(204).send();
    },
  });

  app.get('/livez', async () => ({ live: true }));

  app.get('/readyz', async (_request, reply) => {
    const answer = readiness();
    return reply
      .code(answer.ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send(answer);
  });

  app.setNotFoundHandler(unknownRoute);
  app.setErrorHandler(failed);
}

function usernameOf(request: FastifyRequest<HelloRequest>): string {
  const { username } = request.params;
  if (!isUsername(username)) throw new BadRequest('The user name must be 1 to 20 letters (A-Z, a-z).');
  return username;
}

function birthdayOf(body: unknown, today: CalendarDate): string {
  const text = typeof body === 'object' && body !== null && 'dateOfBirth' in body ? body.dateOfBirth : undefined;
  if (typeof text !== 'string') throw new BadRequest('The body must be {"dateOfBirth": "YYYY-MM-DD"}.');
  const date = parseDate(text);
  if (date === null) throw new BadRequest('dateOfBirth must be a date of the calendar, written YYYY-MM-DD.');
  if (!isBefore(date, today)) throw new BadRequest('dateOfBirth must be before today.');
  return text;
}

function isGone(request: FastifyRequest): () => boolean {
  const { socket } = request.raw;
  return () => socket.destroyed;
}

function unknownRoute(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const path = request.url.replace(/\?.*$/s, '');
  const known = METHODS.find(([pattern]) => pattern.test(path));
  if (known === undefined) return reply.code(404).send({ message: 'There is nothing here.' });
  return reply
    .code(405)
    .header('allow', known[1])
    .send({ message: `Only ${known[1]} can be used here.` });
}

function failed(error: Error & { statusCode?: number }, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error instanceof HoldEnded) {
    return reply
      .code(503)
      .header('retry-after', RETRY_AFTER_S)
      .send({ message: error.inDoubt ? IN_DOUBT : 'The database cannot be reached right now.' });
  }
  // Nobody reads this answer.
  if (error instanceof RequesterGone) return reply.code(503).send();
  if (error.statusCode !== undefined && error.statusCode < 500) {
    return reply.code(error.statusCode).send({ message: error.message });
  }
  request.log.error(
    { reason: reasonOf(error), error: error.name, at: error.stack?.split('\n')[1]?.trim() },
    'request.failed',
  );
  return reply.code(500).send({ message: 'This failed for a reason of our own.' });
}
