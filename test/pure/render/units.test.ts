/** Durations, networks, random numbers and the table of file systems: each exists once. */
import { isIPv4 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { secondsOf } from '../../../src/base/duration.ts';
import { isIpv4, networkOf } from '../../../src/base/network.ts';
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
  it('is what node:net takes for one', () => {
    const number = fc.oneof(fc.integer({ min: 0, max: 300 }).map(String), fc.constantFrom('', '00', '01', ' 1', '1e1', '0x1'));
    const text = fc.array(number, { minLength: 3, maxLength: 5 }).map((parts) => parts.join('.'));
    fc.assert(fc.property(text, (one) => isIpv4(one) === isIPv4(one)));
    expect(isIpv4('10.9.0.100')).toBe(true);
  });

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
