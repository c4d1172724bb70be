/** Durations, networks, random numbers and the table of file systems: each exists once. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { secondsOf } from '../../../src/base/duration.ts';
import { addressStateIn, hexOf, isInPrefix, networkOf, plainAddress } from '../../../src/base/network.ts';
import { random } from '../../../src/base/random.ts';
import { fileSystemTypeNames, oneOfWords } from '../../../src/settings/file-systems.ts';
import { settingsTable } from '../../../src/settings/table.ts';
import { readPage } from '../../markdown.ts';

describe('a duration', () => {
  it.each([
    ['90s', 90],
    ['30m', 1800],
    ['2h', 7200],
    ['0s', null],
    ['-1s', null],
    ['1.5h', null],
    ['1d', null],
    ['30', null],
    ['m', null],
    ['1234567s', null],
  ])('%s is %s seconds', (text, seconds) => {
    expect(secondsOf(text)).toBe(seconds);
  });
});

describe('an IPv4 address', () => {
  it('lies in the network that its bits name', () => {
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.tuple(byte, byte, byte, byte), fc.integer({ min: 0, max: 32 }), (bytes, length) => {
        const bits = bytes.map((one) => one.toString(2).padStart(8, '0')).join('');
        const kept = bits.slice(0, length).padEnd(32, '0');
        const network = (kept.match(/.{8}/g) ?? []).map((one) => Number.parseInt(one, 2)).join('.');
        expect(networkOf(bytes.join('.'), length)).toBe(network);
      }),
    );
  });
});

describe('an IPv6 address', () => {
  it('has one form, the kernel’s, and 32 digits', () => {
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        const plain = plainAddress(text);
        expect(plainAddress(plain)).toBe(plain);
        // An address in ::/96 may end in IPv4; no host has one.
        if (!plain.includes('.')) expect(plainAddress(hexOf(text).replace(/.{4}(?!$)/g, '$&:'))).toBe(plain);
      }),
    );
  });

  it.each([
    ['2001:db8::100', '2001:db8::/64', true],
    ['2001:db8:0:1::100', '2001:db8::/64', false],
    ['2001:db8:0:1::100', '2001:db8::/48', true],
    ['10.9.0.100', '2001:db8::/64', false],
    ['2001:db8::100', '2001:db8::', false],
  ])('%s in %s: %s', (address, subnet, is) => {
    expect(isInPrefix(address, subnet)).toBe(is);
  });

  it.each([
    ['80', 'usable'],
    ['c0', 'tentative'],
    ['c8', 'duplicate'],
  ])('with flags %s in /proc/net/if_inet6 is %s', (flags, state) => {
    const line = `fd090000000000000000000000000100 02 40 00 ${flags}     eth0\n`;
    const lines = `00000000000000000000000000000001 01 80 10 80       lo\n${line}`;
    expect([addressStateIn(lines, 'fd09::100'), addressStateIn(lines, 'fd09::10')]).toEqual([state, null]);
  });
});

describe('random numbers', () => {
  it('follow from their seed', () => {
    const first = (seed: number): number[] => {
      const next = random(seed);
      return [next(), next(), next()];
    };
    expect(first(7)).toEqual(first(7));
    expect(first(7)).not.toEqual(first(8));
    expect(first(7).every((one) => one >= 0 && one < 1)).toBe(true);
  });
});

describe('file systems', () => {
  it('are named in the comment of their setting and in the README', () => {
    expect(readPage('README.md')).toContain(`LVM; ${oneOfWords(fileSystemTypeNames)}`);
    expect(settingsTable.fileSystemType.comment).toBe(`${oneOfWords(fileSystemTypeNames)}.`);
    expect(oneOfWords(['a', 'b', 'c'])).toBe('a, b or c');
  });
});
