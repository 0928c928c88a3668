/** Which packets a cut stops: the scenarios stand or fall with it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { expandPlace, HOSTS, LabError, pairsBetween, siteOf } from '../../lab/src/topology.ts';

test('a cut between the sites leaves the third place to both', () => {
  const pairs = pairsBetween('site1', 'site2', false);
  assert.equal(pairs.length, 18);
  assert.ok(pairs.every((pair) => pair.includes('site1-') && pair.includes('site2-')));
});

test('a one-way cut stops what the first sends to the second', () => {
  assert.deepEqual(pairsBetween('site1-svc', 'witness', true), ['site1-svc>witness']);
});

test('a site cut off from all still talks to itself', () => {
  const pairs = pairsBetween('site1', 'all', false);
  assert.equal(pairs.length, 2 * 3 * 6);
  assert.ok(pairs.every((pair) => pair.split('>').filter((host) => host.startsWith('site1-')).length === 1));
});

test('a host cut off from all talks to nobody', () => {
  assert.equal(pairsBetween('site2-db', 'all', false).length, 2 * (HOSTS.length - 1));
});

test('all from all is every pair', () => {
  assert.equal(pairsBetween('all', 'all', false).length, HOSTS.length * (HOSTS.length - 1));
});

test('all from one site is that site cut off', () => {
  assert.deepEqual(new Set(pairsBetween('all', 'site1', false)), new Set(pairsBetween('site1', 'all', false)));
});

test('places are hosts, sites and all', () => {
  assert.deepEqual(expandPlace('site2'), ['site2-svc', 'site2-app', 'site2-db']);
  assert.equal(siteOf('witness'), undefined);
  assert.throws(() => expandPlace('site3'), LabError);
});
