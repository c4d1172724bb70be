/** The frames of cfengine's protocol: with all that the network does to them, and all else that may come instead. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFrame, encodeFrame, parseStat } from '../../../src/cfengine/frames.ts';

const bytesOf = (text: string): Buffer => Buffer.from(text, 'latin1');
/** A header of 8 bytes, NUL padded. */
const header = (text: string): string => text.padEnd(8, '\0');

/** What a receiver makes of pieces that come one after the other. */
function receive(pieces: readonly Buffer[]): { payloads: string[]; rest: string } {
  const payloads: string[] = [];
  let received: Buffer = Buffer.alloc(0);
  for (const piece of pieces) {
    received = Buffer.concat([received, piece]);
    for (let frame = decodeFrame(received); frame.kind === 'frame'; frame = decodeFrame(received)) {
      payloads.push(frame.payload);
      received = frame.rest;
    }
  }
  return { payloads, rest: received.toString('latin1') };
}

/** Any text of single bytes. */
const payload = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'));

describe('frames', () => {
  it('have a header of 8 bytes with the length of what follows', () => {
    expect(encodeFrame('VERSION').toString('latin1')).toBe('t 7\0\0\0\0\0VERSION');
    expect(encodeFrame('').toString('latin1')).toBe('t 0\0\0\0\0\0');
  });

  it('come out as they went in, however the network cuts the stream', () => {
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 6 }), fc.array(fc.nat()), (payloads, cuts) => {
        const stream = Buffer.concat(payloads.map(encodeFrame));
        const places = [0, ...cuts.map((cut) => cut % (stream.length + 1)).sort((a, b) => a - b), stream.length];
        const pieces = places.slice(1).map((place, index) => stream.subarray(places[index], place));
        expect(receive(pieces)).toEqual({ payloads, rest: '' });
      }),
      { numRuns: 1000 },
    );
  });

  it('come out the same for a cut at each single byte, and byte by byte', () => {
    const said = ['OK: 0 420', '', 'OK:', 'BAD: \0 refused'];
    const stream = Buffer.concat(said.map(encodeFrame));
    const whole = receive([stream]);
    expect(whole.payloads).toEqual(said);
    for (let cut = 0; cut <= stream.length; cut += 1) {
      expect(receive([stream.subarray(0, cut), stream.subarray(cut)]), `cut at ${cut}`).toEqual(whole);
    }
    expect(receive([...stream].map((byte) => Buffer.from([byte])))).toEqual(whole);
  });

  it.each([
    ['the status of more to come', 'm 2', 'ok', { kind: 'frame', payload: 'ok' }],
    ['blanks behind the number', 't 2   ', 'ok', { kind: 'frame', payload: 'ok' }],
    ['bytes behind the NUL', 't 2\0zz9', 'ok', { kind: 'frame', payload: 'ok' }],
    ['the longest payload', 't 65536', 'x'.repeat(65_536), { kind: 'frame', payload: 'x'.repeat(65_536) }],
    ['a payload that is one byte short', 't 5', 'four', { kind: 'incomplete' }],
    ['the longest payload, one byte short', 't 65536', 'x'.repeat(65_535), { kind: 'incomplete' }],
    ['a length beyond the limit', 't 65537', 'x', { kind: 'garbage' }],
    ['the greatest number that fits', 't 999999', 'x', { kind: 'garbage' }],
    ['a length below nothing', 't -1', '', { kind: 'garbage' }],
    ['a length that is no whole number', 't 1.5', 'xx', { kind: 'garbage' }],
    ['a hexadecimal length', 't 0x2', 'xx', { kind: 'garbage' }],
    ['no length', 't ', '', { kind: 'garbage' }],
    ['two numbers', 't 1 2', 'xx', { kind: 'garbage' }],
    ['two blanks', 't  2', 'xx', { kind: 'garbage' }],
    ['another status', 'x 2', 'xx', { kind: 'garbage' }],
    ['a status in capitals', 'T 2', 'xx', { kind: 'garbage' }],
    ['NULs only', '', 'xx', { kind: 'garbage' }],
    ['a web server', 'HTTP/1.1', ' 400 Bad Request', { kind: 'garbage' }],
    ['a greeting of sshd', 'SSH-2.0-', 'OpenSSH', { kind: 'garbage' }],
    ['a record of TLS', '\x15\x03\x01\0\x02\x02', 'F', { kind: 'garbage' }],
  ])('take %s for what it is', (_what, head, body, expected) => {
    expect(decodeFrame(bytesOf(header(head) + body))).toMatchObject(expected);
  });

  it('show the header that was not understood', () => {
    expect(decodeFrame(bytesOf('HTTP/1.1 400'))).toEqual({ kind: 'garbage', why: 'header "HTTP/1.1"' });
  });

  it('never throw and never lose or invent a byte, for any input', () => {
    const anything = fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes));
    const nearly = fc
      .tuple(fc.constantFrom('t', 'm', 'x'), fc.oneof(fc.nat(40), fc.integer(), fc.string()), anything)
      .map(([status, length, body]) => Buffer.concat([bytesOf(header(`${status} ${length}`).slice(0, 8)), body]));
    fc.assert(
      fc.property(fc.oneof(anything, nearly), (bytes) => {
        const decoded = decodeFrame(bytes);
        if (decoded.kind !== 'frame') return;
        const again = Buffer.concat([bytes.subarray(0, 8), bytesOf(decoded.payload), decoded.rest]);
        expect(again.equals(bytes)).toBe(true);
      }),
      { numRuns: 10_000 },
    );
  });
});

describe('the answer to STAT', () => {
  const numbers = '0 420 0 0 0 57 1700000001 1700000002 1700000003 0 131 1 2049';

  it.each([
    [`OK: ${numbers}`],
    [`OK: ${numbers}\n`],
    [`OK:  ${numbers.replaceAll(' ', '  ')} `],
    // Fields another release may add at the end.
    [`OK: ${numbers} 7`],
  ])('is read from %j', (text) => {
    expect(parseStat(text)).toEqual({ size: 57, mtime: 1_700_000_002, inode: 131 });
  });

  it('may speak of a time before 1970', () => {
    expect(parseStat(`OK: ${numbers.replace('1700000002', '-5')}`)?.mtime).toBe(-5);
  });

  it.each([
    ['nothing', ''],
    ['OK alone', 'OK: '],
    ['no OK', numbers],
    ['the link target', 'OK:'],
    ['a refusal', 'BAD: Unspecified server refusal (see verbose server output)'],
    ['too few numbers', `OK: ${numbers.split(' ').slice(0, 10).join(' ')}`],
    ['a word', `OK: ${numbers.replace('57', 'many')}`],
    ['a word in a field that is not read', `OK: ${numbers.replace('2049', 'dev')}`],
    ['a hexadecimal number', `OK: ${numbers.replace('57', '0x39')}`],
    ['a fraction', `OK: ${numbers.replace('57', '57.5')}`],
    ['a power of ten', `OK: ${numbers.replace('57', '5e1')}`],
    ['infinity', `OK: ${numbers.replace('57', 'Infinity')}`],
  ])('is none when it is %s', (_what, text) => {
    expect(parseStat(text)).toBeNull();
  });

  it('returns whole numbers or nothing, for any input', () => {
    const words = fc.array(fc.oneof(fc.integer().map(String), fc.double().map(String), fc.string()), { maxLength: 16 });
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          words.map((all) => `OK: ${all.join(' ')}`),
        ),
        (text) => {
          const stat = parseStat(text);
          if (stat !== null) expect(Object.values(stat).every(Number.isInteger)).toBe(true);
        },
      ),
      { numRuns: 10_000 },
    );
  });
});
