import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame, parseStat } from '../../src/cfengine/frames.ts';

/** Frames as they come off a connection, taken off one by one. */
function payloadsOf(pieces: readonly Buffer[]): string[] {
  let received: Buffer = Buffer.alloc(0);
  const payloads: string[] = [];
  for (const piece of pieces) {
    received = Buffer.concat([received, piece]);
    for (let next = decodeFrame(received); next.kind === 'frame'; next = decodeFrame(received)) {
      payloads.push(next.payload);
      received = next.rest;
    }
  }
  return payloads;
}

describe('frames', () => {
  it('are 8 bytes of header, NUL padded, then the payload', () => {
    expect(encodeFrame('CAUTH x').toString('latin1')).toBe('t 7\0\0\0\0\0CAUTH x');
  });

  it('come out as they went in, wherever the network cut them', () => {
    const texts = fc.array(fc.string({ unit: 'binary-ascii', maxLength: 300 }), { maxLength: 5 });
    fc.assert(
      fc.property(texts, fc.array(fc.nat(2000), { maxLength: 8 }), (payloads, cuts) => {
        const bytes = Buffer.concat(payloads.map(encodeFrame));
        const places = [...new Set([0, ...cuts.map((cut) => Math.min(cut, bytes.length)), bytes.length])].sort((a, b) => a - b);
        const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end));
        expect(payloadsOf(pieces)).toEqual(payloads);
      }),
    );
  });

  it.each([
    ['x 5\0\0\0\0\0hello', 'another status'],
    ['t five\0\0hello', 'no number'],
    ['t -5\0\0\0\0hello', 'a negative length'],
    ['t 999999hello', 'longer than anything cfengine sends'],
    ['SSH-2.0-OpenSSH', 'another protocol'],
    ['HTTP/1.1 400 Bad Request', 'another protocol'],
  ])('%j is refused: %s', (text) => {
    expect(decodeFrame(Buffer.from(text, 'latin1')).kind).toBe('garbage');
  });

  it.each(['', 't 5', 't 5\0\0\0\0\0', 't 5\0\0\0\0\0hell'])('%j is not all there yet', (text) => {
    expect(decodeFrame(Buffer.from(text, 'latin1')).kind).toBe('incomplete');
  });

  it('no bytes whatever make the decoder throw or stand still', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const decoded = decodeFrame(Buffer.from(bytes));
        if (decoded.kind === 'frame') expect(decoded.rest.length).toBeLessThan(bytes.length);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('the answer to STAT', () => {
  it('gives size, time and inode in the order of cfengine.md 1.8', () => {
    const answer = 'OK: 0 420 420 0 0 1234 1700000001 1700000002 1700000003 0 99 1 64768';
    expect(parseStat(answer)).toEqual({ size: 1234, mtime: 1_700_000_002, inode: 99 });
  });

  it.each(['', 'BAD: Host authentication failed. Did you forget the domain name?', 'OK: 0 420', 'OK: a b c d e f g h i j k l m'])(
    '%j is none',
    (answer) => {
      expect(parseStat(answer)).toBeNull();
    },
  );
});
