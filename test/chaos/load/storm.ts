// A connection storm: as many sessions of the application's role as the server gives, held until standard input ends.

import pg from 'pg';

const [host = '', password = '', wanted = '150'] = process.argv.slice(2);
const open = new Set<pg.Client>();
const counts = { opened: 0, refused: 0 };
let ending = false;

async function hold(): Promise<void> {
  while (!ending) {
    const client = new pg.Client({
      host,
      password,
      user: 'dbuser',
      database: 'revolutdb',
      connectionTimeoutMillis: 3000,
      application_name: 'chaos-storm',
    });
    client.on('error', () => open.delete(client));
    try {
      await client.connect();
      counts.opened += 1;
      open.add(client);
      await new Promise((resolve) => client.once('end', resolve));
    } catch {
      counts.refused += 1;
      client.end().catch(() => undefined);
    }
    await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 400));
  }
}

for (let index = 0; index < Number(wanted); index += 1) void hold();
process.stdin
  .once('end', () => {
    ending = true;
    console.log(JSON.stringify(counts));
    process.exit(0);
  })
  .resume();
