/** The group of resources: accepted by Pacemaker's own schema, and in the order of Serviceguard's modules. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { configurationXml } from '../../../src/pacemaker/group.ts';
import { have, settingsFor } from '../../support.ts';

const schema = '/usr/share/pacemaker/pacemaker-3.9.rng';
const identity = { set: '0123456789abcdef', digest: 'd'.repeat(64) };
const xmlOf = (changes: Readonly<Record<string, unknown>> = {}, lvm = true): string =>
  configurationXml({ settings: settingsFor(changes), ...identity, lvm });
const agentsIn = (xml: string): string[] =>
  [...xml.matchAll(/<primitive [^>]*provider="([^"]+)" type="([^"]+)"/g)].map(([, provider, type]) => `${provider}:${type}`);

describe('the group', () => {
  it('starts in the order of the modules of a package', () => {
    const own = ['csync:master', 'heartbeat:Filesystem', 'heartbeat:IPaddr2', 'csync:master'];
    expect(agentsIn(xmlOf())).toEqual(['heartbeat:LVM-activate', ...own]);
    expect(agentsIn(xmlOf({}, false))).toEqual(own);
  });

  it.each([
    [{ service_restart: 'none' }, 'name="migration-threshold" value="1"'],
    [{ service_restart: 3 }, 'name="migration-threshold" value="4"'],
    [{ service_restart: 'unlimited' }, 'name="migration-threshold" value="0"'],
    [{ failback_policy: 'manual' }, 'name="resource-stickiness" value="INFINITY"'],
    [{ failback_policy: 'automatic' }, 'name="resource-stickiness" value="0"'],
    [{ auto_run: false }, 'name="target-role" value="Stopped"'],
    [{ mount_options: '-o rw,noatime' }, 'name="options" value="rw,noatime"'],
    [{ run_script_timeout_seconds: 77 }, 'name="start" interval="0s" timeout="77s"'],
  ])('with %j has %s', (changes, text) => {
    expect(xmlOf(changes)).toContain(text);
  });

  it('prefers the members in their order, and bans every other node', () => {
    const xml = xmlOf({ members: ['a', 'b'] });
    expect(xml).toContain('node="a" score="200"');
    expect(xml).toContain('node="b" score="100"');
    expect([...xml.matchAll(/operation="ne" value="(\w+)"/g)].map(([, name]) => name)).toEqual(['a', 'b']);
  });

  it.skipIf(!have('xmllint') || !existsSync(schema))('is valid by the schema of Pacemaker', () => {
    const cib = (configuration: string): string => {
      const parts = configuration.replace('<configuration>', '<configuration><crm_config/><nodes/>');
      return `<cib validate-with="pacemaker-3.9" epoch="1" num_updates="0" admin_epoch="0">${parts}<status/></cib>`;
    };
    for (const input of [cib(xmlOf()), cib(xmlOf({ failover_policy: 'min_package_node' }, false))]) {
      const { status, stderr } = spawnSync('xmllint', ['--noout', '--relaxng', schema, '-'], { input, encoding: 'utf8' });
      expect([status, stderr]).toEqual([0, '- validates\n']);
    }
  });
});
