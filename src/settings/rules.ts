/** What a value of a setting may be: one rule a kind of value, and what is read out of the ones that have parts. */
import * as v from 'valibot';
import { isIpv4, networkOf } from '../base/network.ts';

/** Serviceguard's rule for package and service names: letters, digits, and . - _ ; at most 39 characters. */
export const nameRule = v.pipe(
  v.string('a name is wanted'),
  v.regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,38}$/,
    'at most 39 letters, digits, dots, hyphens or underscores, beginning with a letter or digit',
  ),
);

/** Of a package the last sign, too, is a letter or digit [serviceguard.md 2.5]. */
export const packageNameRule = v.pipe(nameRule, v.regex(/[A-Za-z0-9]$/, 'a name that ends with a letter or digit is wanted'));

export const address = v.pipe(
  v.string('an IPv4 address is wanted'),
  v.check(isIpv4, 'an IPv4 address such as 10.9.0.100 is wanted'),
);

const networkText = 'an IPv4 network such as 10.9.0.0/24, or an address, is wanted';

export const network = v.pipe(
  v.string(networkText),
  v.check((text) => {
    const [base = '', prefix, ...more] = text.split('/');
    if (prefix === undefined) return isIpv4(text);
    return more.length === 0 && /^[1-9]\d?$/.test(prefix) && networkOf(base, Number(prefix)) === base;
  }, networkText),
);

export const dnsName = v.pipe(
  v.string('a DNS name is wanted'),
  v.regex(
    /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/,
    'a DNS name such as csync.example.com is wanted',
  ),
);

export const path = v.pipe(
  v.string('an absolute path is wanted'),
  v.regex(/^\/[A-Za-z0-9._+@/-]*$/, 'an absolute path of letters, digits and . _ + @ - is wanted'),
  v.check((text) => !text.split('/').includes('..'), 'the path must not contain ".."'),
);

export const sgPath = v.pipe(
  v.string('a path is wanted'),
  v.regex(
    /^(\/|\$SGCONF\/|\$SGRUN\/)[A-Za-z0-9._+@/-]+$/,
    'an absolute path, or one that begins with $SGCONF/ or $SGRUN/, is wanted',
  ),
  v.check((text) => !text.split('/').includes('..'), 'the path must not contain ".."'),
);

/** What may stand inside double quotes in a package file; there is no escaping in it (serviceguard.md gap 14). */
export const plainText = v.pipe(
  v.string('text is wanted'),
  v.regex(
    /^[^"\p{Cc}\p{Zl}\p{Zp}{}]*$/u,
    'double quotes, braces, ends of lines and control characters cannot stand in a package file',
  ),
);

/** Serviceguard's own files say yes and no, YAML 1.2 says true and false; both are taken. */
export const yesNo = v.pipe(
  v.union([v.boolean(), v.picklist(['yes', 'no'])], 'yes or no is wanted'),
  v.transform((value) => value === true || value === 'yes'),
);

/** -0 is a number of its own in YAML and JSON; it is printed as 0, which would be another value than was read. */
export const plainZero = v.transform((value: number) => value + 0);

export const whole = (least: number, most: number) => {
  const text = `a whole number from ${least} to ${most} is wanted`;
  return v.pipe(v.number(text), v.integer(text), v.minValue(least, text), v.maxValue(most, text), plainZero);
};

/** How the monitor looks at one of its layers. */
export interface LayerSchedule {
  readonly everyMs: number;
  readonly limitMs: number;
  /** Bad looks in a row before it counts. */
  readonly failures: number;
  /** What it counts for: a failover, or a line in the log and in csync status. */
  readonly weight: 'fail' | 'warn';
}

/** `every 5 s, limit 3 s, 2 in a row, fail`, or `off`, which is null. undefined: it says nothing like that. */
export function parseLayerSchedule(text: string): LayerSchedule | null | undefined {
  if (text === 'off') return null;
  const [, every, limit, failures, weight] =
    /^every ([1-9]\d{0,4}) ?s, limit ([1-9]\d{0,3}) ?s, ([1-9]\d?) in a row, (fail|warn)$/.exec(text) ?? [];
  if (weight !== 'fail' && weight !== 'warn') return undefined;
  return { everyMs: Number(every) * 1000, limitMs: Number(limit) * 1000, failures: Number(failures), weight };
}

export const layerSchedule = (() => {
  const text = 'such as "every 5 s, limit 3 s, 2 in a row, fail" is wanted (or warn in place of fail), or off';
  return v.pipe(
    v.string(text),
    v.check((said) => parseLayerSchedule(said) !== undefined, text),
  );
})();

/** `once in 60 min`: its window in seconds; `none`: null. undefined: it says nothing like that. */
export function parseLocalRestart(text: string): number | null | undefined {
  if (text === 'none') return null;
  const minutes = /^once in ([1-9]\d{0,4}) ?min$/.exec(text)?.[1];
  return minutes === undefined ? undefined : Number(minutes) * 60;
}

export const localRestart = (() => {
  const text = 'none, or such as "once in 60 min" is wanted';
  return v.pipe(
    v.string(text),
    v.check((said) => parseLocalRestart(said) !== undefined, text),
  );
})();

export const off = 'off';

export const offOrPath = v.union([v.literal(off), path], 'an absolute path, or off, is wanted');

/** `127.0.0.1:9308` or `[::1]:9308`; `off`: null. undefined: it says nothing like that. */
export function parseListenAddress(text: string): { readonly host: string; readonly port: number } | null | undefined {
  if (text === off) return null;
  const [, four, six, port] = /^(?:([\d.]+)|\[([\da-f:]+)\]):([1-9]\d{0,4})$/.exec(text) ?? [];
  const isHost = four === undefined ? v.is(v.pipe(v.string(), v.ipv6()), six) : isIpv4(four);
  return isHost && Number(port) <= 65_535 ? { host: four ?? six ?? '', port: Number(port) } : undefined;
}

export const listenAddress = (() => {
  const text = 'an address with a port such as "127.0.0.1:9308", or off, is wanted';
  return v.pipe(
    v.string(text),
    v.check((said) => parseListenAddress(said) !== undefined, text),
  );
})();

export const oneOf = <const T extends readonly (string | number)[]>(values: T) =>
  v.picklist(values, `one of ${values.join(', ')} is wanted`);

/** Script and service time-outs must stay below this [serviceguard.md 2.5]. */
export const mostSeconds = 4294;
