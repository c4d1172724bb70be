/** Rules for values of settings, and parsers of values with parts. */
import * as v from 'valibot';
import { isIpv4, isIpv6, isPackageAddress, networkOf, plainAddress, prefixOf } from '../base/network.ts';
import { parseMountOptions } from './mount-options.ts';

/** Of packages and services in Serviceguard. */
export const nameRule = v.pipe(
  v.string('expected a name'),
  v.regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,38}$/,
    'expected at most 39 letters, digits, dots, hyphens or underscores, beginning with a letter or digit',
  ),
);

/** Also ends with a letter or digit [serviceguard.md 2.5]. */
export const packageNameRule = v.pipe(nameRule, v.regex(/[A-Za-z0-9]$/, 'expected a name that ends with a letter or digit'));

/** Also of a directory service (ops@example.com). ssh would expand % in a name, and shells more. */
export const userName = v.pipe(
  v.string('expected the name of a user'),
  v.regex(/^[A-Za-z_][A-Za-z0-9_.@-]{0,62}$/, 'expected a name of letters, digits and . _ @ -'),
);

const addressText = 'expected an address such as 10.9.0.100 or 2001:db8::100';

/** In the form of the kernel, as ip(8) and cfengine print it. */
export const address = v.pipe(v.string(addressText), v.check(isPackageAddress, addressText), v.transform(plainAddress));

const plainPrefix = (text: string): string => {
  const prefix = prefixOf(text);
  return prefix === null ? plainAddress(text) : `${prefix.base}/${prefix.length}`;
};

const subnetText = 'expected the network address of an IPv4 subnet such as 10.9.0.0, or an IPv6 subnet such as 2001:db8::/64';

export const subnet = v.pipe(
  v.string(subnetText),
  v.check((text) => isIpv4(text) || isWholePrefix(text), subnetText),
  v.transform(plainPrefix),
);

/** Its base is written without a host. */
function isWholePrefix(text: string): boolean {
  return prefixOf(text)?.base.endsWith('::') === true;
}

const networkText = 'expected a network such as 10.9.0.0/24 or 2001:db8::/32, or an address';

export const network = v.pipe(
  v.string(networkText),
  v.check((text) => {
    const [base = '', prefix, ...more] = text.split('/');
    if (prefix === undefined) return isIpv4(text) || isIpv6(text);
    // cf-serverd compares whole bytes of IPv6 [cfengine.md 2.7].
    if (isWholePrefix(text)) return Number(prefix) % 8 === 0;
    return more.length === 0 && /^[1-9]\d?$/.test(prefix) && networkOf(base, Number(prefix)) === base;
  }, networkText),
  v.transform(plainPrefix),
);

export const dnsName = v.pipe(
  v.string('expected a DNS name'),
  v.regex(
    /^(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$/,
    'expected a DNS name such as csync.example.com',
  ),
);

export const path = v.pipe(
  v.string('expected an absolute path'),
  v.regex(/^\/[A-Za-z0-9._+@/-]*$/, 'expected an absolute path of letters, digits and . _ + @ -'),
  v.check((text) => !text.split('/').includes('..'), 'the path must not contain ".."'),
);

export const sgPath = v.pipe(
  v.string('expected a path'),
  v.regex(
    /^(\/|\$SGCONF\/|\$SGRUN\/)[A-Za-z0-9._+@/-]+$/,
    'expected an absolute path, or one that begins with $SGCONF/ or $SGRUN/',
  ),
  v.check((text) => !text.split('/').includes('..'), 'the path must not contain ".."'),
);

/** Allowed inside double quotes in a package file, which has no escaping (serviceguard.md gap 14). */
export const plainText = v.pipe(
  v.string('expected text'),
  v.regex(
    /^[^"\p{Cc}\p{Zl}\p{Zp}{}]*$/u,
    'double quotes, braces, line ends and control characters are not allowed in a package file',
  ),
);

/** What mount takes before the device; a list as in fstab gets its -o. */
export const mountOptions = (() => {
  const text = 'expected mount options such as -o rw,noatime, without bind, remount, move and loop';
  return v.pipe(
    plainText,
    v.check((said) => parseMountOptions(said) !== null, text),
    v.transform((said) => parseMountOptions(said)?.text ?? said),
  );
})();

/** Serviceguard's own files have yes and no, YAML 1.2 has true and false. */
export const yesNo = v.pipe(
  v.union([v.boolean(), v.picklist(['yes', 'no'])], 'expected yes or no'),
  v.transform((value) => value === true || value === 'yes'),
);

/** -0 is a separate number in YAML and JSON; it would be printed as 0. */
export const plainZero = v.transform((value: number) => value + 0);

export const whole = (least: number, most: number) => {
  const text = `expected a whole number from ${least} to ${most}`;
  return v.pipe(v.number(text), v.integer(text), v.minValue(least, text), v.maxValue(most, text), plainZero);
};

/** Of a layer of the monitor. */
export interface LayerSchedule {
  readonly everyMs: number;
  readonly limitMs: number;
  /** Failed probes in a row before it counts. */
  readonly failures: number;
  /** fail: a failover; warn: a line in the log and in csync status. */
  readonly weight: 'fail' | 'warn';
}

/** `every 5 s, limit 3 s, 2 in a row, fail`; `off`: null. undefined: invalid. */
export function parseLayerSchedule(text: string): LayerSchedule | null | undefined {
  if (text === 'off') return null;
  const [, every, limit, failures, weight] =
    /^every ([1-9]\d{0,4}) ?s, limit ([1-9]\d{0,3}) ?s, ([1-9]\d?) in a row, (fail|warn)$/.exec(text) ?? [];
  if (weight !== 'fail' && weight !== 'warn') return undefined;
  return { everyMs: Number(every) * 1000, limitMs: Number(limit) * 1000, failures: Number(failures), weight };
}

export const layerSchedule = (() => {
  const text = 'expected, for example, "every 5 s, limit 3 s, 2 in a row, fail" (or warn instead of fail), or off';
  return v.pipe(
    v.string(text),
    v.check((said) => parseLayerSchedule(said) !== undefined, text),
  );
})();

/** `once in 60 min`: its window in seconds; `none`: null. undefined: invalid. */
export function parseLocalRestart(text: string): number | null | undefined {
  if (text === 'none') return null;
  const minutes = /^once in ([1-9]\d{0,4}) ?min$/.exec(text)?.[1];
  return minutes === undefined ? undefined : Number(minutes) * 60;
}

export const localRestart = (() => {
  const text = 'expected none, or for example "once in 60 min"';
  return v.pipe(
    v.string(text),
    v.check((said) => parseLocalRestart(said) !== undefined, text),
  );
})();

export const off = 'off';

export const offOrPath = v.union([v.literal(off), path], 'expected an absolute path, or off');

/** `127.0.0.1:9308` or `[::1]:9308`; `off`: null. undefined: invalid. */
export function parseListenAddress(text: string): { readonly host: string; readonly port: number } | null | undefined {
  if (text === off) return null;
  const [, four, six, port] = /^(?:([\d.]+)|\[([\da-f:]+)\]):([1-9]\d{0,4})$/.exec(text) ?? [];
  const isHost = four === undefined ? isIpv6(six ?? '') : isIpv4(four);
  return isHost && Number(port) <= 65_535 ? { host: four ?? six ?? '', port: Number(port) } : undefined;
}

export const listenAddress = (() => {
  const text = 'expected an address with a port such as "127.0.0.1:9308", or off';
  return v.pipe(
    v.string(text),
    v.check((said) => parseListenAddress(said) !== undefined, text),
  );
})();

export const oneOf = <const T extends readonly (string | number)[]>(values: T) =>
  v.picklist(values, `expected one of ${values.join(', ')}`);

/** Time-outs of scripts and services must stay below this [serviceguard.md 2.5]. */
export const mostSeconds = 4294;
