import { type ExitName, exitTable } from '../base/problem.ts';
import { alwaysPossible, possibleBy, type Verb } from './verb.ts';

export function synopsis({ words, positionals }: Verb): string {
  const names = Object.entries(positionals).map(([name, { array, demandOption }]) => {
    const many = array === true ? `${name}..` : name;
    return demandOption === true ? `<${many}>` : `[${many}]`;
  });
  return [words, ...names].join(' ');
}

export function plainText({ does, details = '' }: Verb): string {
  const sentence = `${does.charAt(0).toUpperCase()}${does.slice(1)}.`;
  return `${sentence} ${details}`
    .trim()
    .replaceAll(/\[([^\]]+)\]\((?:\.\.\/)*([^)]+)\)/g, '$1')
    .replaceAll('`', '');
}

export function exitLines({ effect, exits = {}, ownExits = {} }: Verb): readonly (readonly [number, string])[] {
  const names = [...alwaysPossible, ...possibleBy(effect), ...(Object.keys(exits) as ExitName[])];
  const lines = new Map(names.map((name) => [exitTable[name].status as number, exits[name] || exitTable[name].means]));
  for (const [status, means] of Object.entries(ownExits)) lines.set(Number(status), means);
  return [...lines].sort(([one], [other]) => one - other);
}
